import type { TransportClock } from './clock.js';
import type { Connection } from './connection.js';

/** Limits of the pool, times in milliseconds. */
export interface PoolLimits {
  /** Most connections at a time, whatever the host; more requests wait. */
  readonly maxConnections: number;
  /** An older connection is not used again, so that changes of names and certificates are noticed. */
  readonly maxAge: number;
}

/** What the pool is made with. */
export interface PoolParts extends PoolLimits {
  readonly clock: TransportClock;
  open(origin: string, onEnd: (connection: Connection) => void): Connection;
  /** More requests wait than there may be connections. */
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
 * The connections to all hosts within one limit. The one that was used last is used first, so that those that are not
 * needed grow old and end; where none is free, requests wait in their order.
 *
 * undici's Agent has a pool for each host. It has no limit over all of them, gives a request no connection that nobody
 * has used, and does not tell how many requests wait.
 */
export class ConnectionPool {
  readonly #parts: PoolParts;
  readonly #open = new Set<Connection>();
  /** By origin, in the order in which they became idle. */
  readonly #idle = new Map<string, Connection[]>();
  readonly #waiting = new Set<Waiting>();

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  get state(): PoolState {
    let idle = 0;
    for (const connections of this.#idle.values()) idle += connections.length;
    return { open: this.#open.size, idle, waiting: this.#waiting.size };
  }

  /**
   * Hands over a connection, now or when there is one.
   * @param fresh whether it must be one that nobody has used.
   * @returns what ends the waiting.
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

  /** Takes a connection back, to use it again or, if it is not fit for that, to end it. */
  release(connection: Connection, reusable: boolean): void {
    if (!reusable || this.#isOld(connection) || !this.#open.has(connection)) this.#end(connection);
    else this.#idleAt(connection.origin).push(connection);
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
    if (!fresh) {
      const idle = this.#lastIdle(origin);
      if (idle !== undefined) return idle;
    }
    if (this.#open.size >= this.#parts.maxConnections) {
      const longestIdle = this.#longestIdle();
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
    const idle = this.#idle.get(origin);
    for (let last = idle?.pop(); last !== undefined; last = idle?.pop()) {
      if (!this.#isOld(last)) return last;
      this.#end(last);
    }
    return undefined;
  }

  #longestIdle(): Connection | undefined {
    for (const [longestIdle] of this.#idle.values()) if (longestIdle !== undefined) return longestIdle;
    return undefined;
  }

  #idleAt(origin: string): Connection[] {
    const known = this.#idle.get(origin);
    if (known !== undefined) return known;
    const idle: Connection[] = [];
    this.#idle.set(origin, idle);
    return idle;
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
    const idle = this.#idle.get(connection.origin);
    if (idle === undefined) return;
    const place = idle.indexOf(connection);
    if (place !== -1) idle.splice(place, 1);
    if (idle.length === 0) this.#idle.delete(connection.origin);
  }
}
