import type { CacheEntry, CacheError, Clock } from '../driver/index.js';

/** How a store ended. */
export type StoreOutcome =
  | { readonly stored: true }
  | { readonly stored: false; readonly reason: 'replaced' | 'cancelled' | 'closed' }
  | { readonly stored: false; readonly reason: 'failed'; readonly error: CacheError };

export interface StoreQueueLimits {
  /** Bytes of all entries that are waiting or being stored. */
  readonly maxBytes: number;
  /** Number of entries that are waiting or being stored. */
  readonly maxEntries: number;
  /** Number of entries stored at the same time. */
  readonly concurrency: number;
}

interface Job {
  readonly name: string;
  readonly entry: CacheEntry;
  readonly controller: AbortController;
  readonly settled: Promise<StoreOutcome>;
  settle(outcome: StoreOutcome): void;
}

/**
 * Stores entries in the background, with limits on bytes, entries and concurrency. Only one entry per name is stored
 * at a time, and the newest one wins. Waiting entries can be read. No promise of the queue rejects.
 */
export class StoreQueue {
  readonly #limits: StoreQueueLimits;
  readonly #clock: Clock;
  readonly #store: (name: string, entry: CacheEntry, signal: AbortSignal) => Promise<CacheError | undefined>;
  readonly #waiting = new Map<string, Job>();
  readonly #running = new Map<string, Job>();
  readonly #idle: (() => void)[] = [];
  #bytes = 0;
  #closed = false;

  /** @param store stores one entry; it resolves with the error instead of rejecting */
  constructor(
    limits: StoreQueueLimits,
    clock: Clock,
    store: (name: string, entry: CacheEntry, signal: AbortSignal) => Promise<CacheError | undefined>,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#store = store;
  }

  /** Number of entries that are waiting or being stored. */
  get size(): number {
    return this.#waiting.size + this.#running.size;
  }

  /** Whether it accepts no more entries. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The newest entry of this name that is not yet stored. */
  peek(name: string): CacheEntry | undefined {
    if (this.size === 0) return undefined;
    return (this.#waiting.get(name) ?? this.#running.get(name))?.entry;
  }

  /** Adds an entry. Returns `undefined` if the queue is full or closed. */
  add(name: string, entry: CacheEntry): Promise<StoreOutcome> | undefined {
    const replaced = this.#waiting.get(name);
    const bytes = this.#bytes + entry.body.length - (replaced?.entry.body.length ?? 0);
    const entries = this.size + (replaced === undefined ? 1 : 0);
    if (this.#closed || bytes > this.#limits.maxBytes || entries > this.#limits.maxEntries) return undefined;
    if (replaced !== undefined) this.#drop(replaced, 'replaced');
    const { promise, resolve } = Promise.withResolvers<StoreOutcome>();
    this.#bytes += entry.body.length;
    this.#waiting.set(name, {
      name,
      entry,
      controller: new AbortController(),
      settled: promise,
      settle: resolve,
    });
    this.#startJobs();
    return promise;
  }

  /**
   * Drops the waiting entries with matching names, and waits for those being stored: an aborted put may still reach the
   * store, after the deletion that follows.
   */
  async cancel(matches: (name: string) => boolean): Promise<void> {
    for (const job of [...this.#waiting.values()]) {
      if (matches(job.name)) this.#drop(job, 'cancelled');
    }
    const running = [...this.#running.values()].filter((job) => matches(job.name));
    await Promise.all(running.map((job) => job.settled));
  }

  /**
   * Accepts no more entries, waits at most `seconds` until all are stored, and drops the rest.
   * @returns how many entries were dropped
   */
  async close(seconds: number): Promise<number> {
    this.#closed = true;
    if (this.size === 0) return 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(resolve, seconds * 1000);
    this.#idle.push(resolve);
    await promise;
    timer.cancel();
    const dropped = this.size;
    for (const job of [...this.#waiting.values()]) this.#drop(job, 'closed');
    for (const job of this.#running.values()) job.controller.abort();
    return dropped;
  }

  #startJobs(): void {
    for (const job of this.#waiting.values()) {
      if (this.#running.size >= this.#limits.concurrency) return;
      if (this.#running.has(job.name)) continue;
      this.#waiting.delete(job.name);
      this.#running.set(job.name, job);
      void this.#run(job);
    }
  }

  async #run(job: Job): Promise<void> {
    const error = await this.#store(job.name, job.entry, job.controller.signal);
    this.#running.delete(job.name);
    if (error === undefined) this.#end(job, { stored: true });
    else if (job.controller.signal.aborted) this.#end(job, { stored: false, reason: 'closed' });
    else this.#end(job, { stored: false, reason: 'failed', error });
    this.#startJobs();
  }

  #drop(job: Job, reason: 'replaced' | 'cancelled' | 'closed'): void {
    this.#waiting.delete(job.name);
    this.#end(job, { stored: false, reason });
  }

  #end(job: Job, outcome: StoreOutcome): void {
    this.#bytes -= job.entry.body.length;
    job.settle(outcome);
    if (this.size === 0) for (const wake of this.#idle.splice(0)) wake();
  }
}
