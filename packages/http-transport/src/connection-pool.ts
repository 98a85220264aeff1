import type { TransportClock } from './clock.js';
import type { Connection } from './connection.js';

/** Limits of the pool, times in milliseconds. */
export interface PoolLimits {
  /** Most connections to all hosts at a time. Further requests wait. */
  readonly maxConnections: number;
  /** An older connection is not reused, so that changes of addresses and certificates take effect. */
  readonly maxAge: number;
}

/** What a {@link ConnectionPool} needs. */
export interface PoolParts extends PoolLimits {
  readonly clock: TransportClock;
  open(origin: string, onEnd: (connection: Connection) => void): Connection;
  /** Called when more requests wait than there may be connections. */
  onCrowded(waiting: number): void;
}

interface Waiting {
  readonly origin: string;
  readonly fresh: boolean;
  readonly receive: (connection: Connection) => void;
}

/** How many connections there are, and how many requests wait for one. */
export interface PoolState {
  readonly open: number;
  readonly idle: number;
  readonly waiting: number;
}

/**
 * The connections to all hosts, within one limit. The most recently used is reused first, so that surplus ones become idle
 * and close. If none is free, requests wait in order.
 *
 * undici's Agent has a pool for each host, no limit over all of them, no way to ask for a new connection, and no count of
 * the requests that wait.
 */
export class ConnectionPool {
  readonly #parts: PoolParts;
  readonly #open = new Set<Connection>();
  /** In the order in which they became idle. */
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<Waiting>();

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  get state(): PoolState {
    return { open: this.#open.size, idle: this.#idle.length, waiting: this.#waiting.size };
  }

  /**
   * Passes a connection to `receive`, now or as soon as one is free.
   * @param fresh whether it must be a new one
   * @returns a function that ends the wait
   */
  acquire(origin: string, fresh: boolean, receive: (connection: Connection) => void): () => void {
    const waiting: Waiting = { origin, fresh, receive };
    const connection = this.#waiting.size === 0 ? this.#take(waiting) : undefined;
    if (connection !== undefined) {
      receive(connection);
      return () => {};
    }
    this.#waiting.add(waiting);
    if (this.#waiting.size === this.#parts.maxConnections + 1) this.#parts.onCrowded(this.#waiting.size);
    return () => void this.#waiting.delete(waiting);
  }

  /** Takes a connection back, and closes it unless it can be reused. */
  release(connection: Connection, reusable: boolean): void {
    if (!reusable || this.#isOld(connection) || !this.#open.has(connection)) this.#end(connection);
    else this.#idle.push(connection);
    this.#serveWaiting();
  }

  close(): void {
    this.#waiting.clear();
    for (const connection of this.#open) this.#end(connection);
  }

  #serveWaiting(): void {
    for (const waiting of this.#waiting) {
      const connection = this.#take(waiting);
      if (connection === undefined) return;
      this.#waiting.delete(waiting);
      waiting.receive(connection);
    }
  }

  #take({ origin, fresh }: Waiting): Connection | undefined {
    const idle = fresh ? undefined : this.#lastIdle(origin);
    if (idle !== undefined) return idle;
    if (this.#open.size >= this.#parts.maxConnections) {
      const [longestIdle] = this.#idle;
      if (longestIdle === undefined) return undefined;
      this.#end(longestIdle);
    }
    const connection = this.#parts.open(origin, (ended) => {
      this.#forget(ended);
      this.#serveWaiting();
    });
    this.#open.add(connection);
    return connection;
  }

  #lastIdle(origin: string): Connection | undefined {
    for (let place = this.#idle.length - 1; place >= 0; place--) {
      const connection = this.#idle[place];
      if (connection?.origin !== origin) continue;
      this.#idle.splice(place, 1);
      if (!this.#isOld(connection)) return connection;
      this.#end(connection);
    }
    return undefined;
  }

  #isOld({ opened }: Connection): boolean {
    return this.#parts.clock.monotonic() - opened > this.#parts.maxAge;
  }

  #end(connection: Connection): void {
    this.#forget(connection);
    connection.destroy();
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection);
    const place = this.#idle.indexOf(connection);
    if (place !== -1) this.#idle.splice(place, 1);
  }
}
