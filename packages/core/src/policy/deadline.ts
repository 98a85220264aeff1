import { setMaxListeners } from 'node:events';
import { CacheError, type CacheOperation, type Clock, type Timer } from '../driver/index.js';

// Signals are dear to make and look-ups are many: those that begin within this part of the deadline share one.
const SLOTS_PER_DEADLINE = 32;

/** An operation under way. */
interface Pending {
  reject(error: CacheError): void;
}

/** Operations that began at about the same time. They have one signal, and time out together. */
class Slot {
  readonly controller = new AbortController();
  readonly pending = new Set<Pending>();

  constructor(
    readonly closesAt: number,
    readonly expiresAt: number,
  ) {
    // Many operations listen to it, which Node.js 22 takes for a leak.
    setMaxListeners(0, this.controller.signal);
  }
}

/**
 * Bounds operations of one kind in time. When the deadline passes the caller goes on at once, whether or
 * not the operation obeys its signal; a result that arrives late is released. All deadlines of a kind are
 * equally long and so pass in the order they began: one timer serves any number of them. An operation may be
 * given up to 1/32 of its time early. The process stays alive as long as an operation is under way.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #operation: CacheOperation;
  readonly #milliseconds: number;
  readonly #slots: Slot[] = [];
  #timer: Timer | undefined;
  #underWay = 0;

  /** @param seconds how long an operation may take */
  constructor(clock: Clock, operation: CacheOperation, seconds: number) {
    this.#clock = clock;
    this.#operation = operation;
    this.#milliseconds = seconds * 1000;
  }

  /**
   * @param operation gets the signal that is aborted when the deadline passes
   * @param release takes a result that nobody waits for any more
   * @param outer ends the operation earlier
   * @throws CacheError `ERR_CACHE_TIMEOUT`, `ERR_CACHE_ABORTED` by `outer`, and whatever the operation throws
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
    if (this.#underWay++ === 0) this.#timer?.ref?.();
  }

  /** @returns whether it was under way still */
  #end(slot: Slot, pending: Pending): boolean {
    if (!slot.pending.delete(pending)) return false;
    if (--this.#underWay === 0) this.#timer?.unref?.();
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
    if (this.#underWay === 0) this.#timer.unref?.();
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

/** What an operation rejects with when its caller's signal ended it. */
export function abortedError(operation: CacheOperation, signal: AbortSignal | undefined): CacheError {
  return new CacheError('ERR_CACHE_ABORTED', `${operation} was aborted by the caller`, {
    operation,
    cause: signal?.reason,
  });
}
