import { setMaxListeners } from 'node:events';
import { CacheError, type CacheOperation, type Clock, type Timer } from '../driver/index.js';
import { abortedError } from '../driver/operation-guard.js';

// Creating a signal for every look-up is expensive: those that begin within this fraction of the deadline share one.
const SLOTS_PER_DEADLINE = 32;

/** An operation that has not ended. */
interface Pending {
  reject(error: CacheError): void;
}

/** Operations that began at about the same time. They share one signal and time out together. */
class Slot {
  readonly controller = new AbortController();
  readonly pending = new Set<Pending>();

  constructor(
    readonly closesAt: number,
    readonly expiresAt: number,
  ) {
    // Many operations listen to it; Node.js 22 would warn of a leak.
    setMaxListeners(0, this.controller.signal);
  }
}

/**
 * Limits the time of operations of one kind. When the deadline passes, the caller continues at once, even if the
 * operation ignores its signal; a late result is released. All operations have the same deadline, so they expire in the
 * order in which they began, and one timer serves them all. An operation may time out up to 1/32 of the deadline early.
 * The process stays alive while an operation is pending.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #operation: CacheOperation;
  readonly #milliseconds: number;
  readonly #slots: Slot[] = [];
  #timer: Timer | undefined;
  #pendingCount = 0;

  /** @param seconds how long an operation may take */
  constructor(clock: Clock, operation: CacheOperation, seconds: number) {
    this.#clock = clock;
    this.#operation = operation;
    this.#milliseconds = seconds * 1000;
  }

  /**
   * @param operation receives a signal that is aborted when the deadline passes
   * @param release receives a result that arrives too late
   * @param outer aborts the operation earlier
   * @throws CacheError `ERR_CACHE_TIMEOUT`, `ERR_CACHE_ABORTED` when `outer` is aborted, or the operation's own error
   */
  run<T>(
    operation: (signal: AbortSignal) => Promise<T>,
    release?: (late: T) => void,
    outer?: AbortSignal,
  ): Promise<T> {
    const slot = this.#openSlot();
    return new Promise<T>((resolve, reject) => {
      if (outer?.aborted) throw abortedError(this.#operation, outer);
      const pending: Pending = { reject };
      const { signal } = slot.controller;
      const stopListening = outer && this.#endWith(outer, slot, pending);
      this.#begin(slot, pending);
      operation(outer === undefined ? signal : AbortSignal.any([outer, signal])).then(
        (result) => {
          stopListening?.();
          if (this.#end(slot, pending)) resolve(result);
          else release?.(result);
        },
        (error: unknown) => {
          stopListening?.();
          if (this.#end(slot, pending)) reject(error);
        },
      );
    });
  }

  #endWith(outer: AbortSignal, slot: Slot, pending: Pending): () => void {
    const onAbort = (): void => {
      if (this.#end(slot, pending)) pending.reject(abortedError(this.#operation, outer));
    };
    outer.addEventListener('abort', onAbort, { once: true });
    return () => outer.removeEventListener('abort', onAbort);
  }

  #begin(slot: Slot, pending: Pending): void {
    slot.pending.add(pending);
    if (this.#pendingCount++ === 0) this.#timer?.ref?.();
  }

  /** @returns whether it was still pending */
  #end(slot: Slot, pending: Pending): boolean {
    if (!slot.pending.delete(pending)) return false;
    if (--this.#pendingCount === 0) this.#timer?.unref?.();
    return true;
  }

  #openSlot(): Slot {
    const now = this.#clock.monotonic();
    const latest = this.#slots.at(-1);
    if (latest !== undefined && now < latest.closesAt) return latest;
    const slot = new Slot(now + this.#milliseconds / SLOTS_PER_DEADLINE, now + this.#milliseconds);
    this.#slots.push(slot);
    if (this.#timer === undefined) this.#setTimer(this.#milliseconds);
    return slot;
  }

  #setTimer(delay: number): void {
    this.#timer = this.#clock.setTimer(() => this.#expireDue(), delay);
    if (this.#pendingCount === 0) this.#timer.unref?.();
  }

  #expireDue(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (let slot = this.#slots[0]; slot !== undefined; slot = this.#slots[0]) {
      if (slot.expiresAt > now) {
        this.#setTimer(Math.ceil(slot.expiresAt - now));
        return;
      }
      this.#slots.shift();
      this.#expire(slot);
    }
  }

  #expire(slot: Slot): void {
    if (slot.pending.size === 0) return;
    const error = new CacheError(
      'ERR_CACHE_TIMEOUT',
      `${this.#operation} took longer than ${this.#milliseconds / 1000} seconds`,
      { operation: this.#operation },
    );
    for (const pending of [...slot.pending]) {
      this.#end(slot, pending);
      pending.reject(error);
    }
    slot.controller.abort(error);
  }
}
