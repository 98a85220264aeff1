import { getEventListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../seeded-random.js';

const MOMENTS = [
  // Most stay until the end.
  { weight: 84, hangUp: undefined },
  { weight: 2, hangUp: 'before' },
  { weight: 4, hangUp: 1 },
  { weight: 6, hangUp: 15 },
  { weight: 4, hangUp: 300 },
] as const;

/** Those for whom operations are done. Some hang up, at any moment. */
export class Callers {
  /** Given with operations of those who stay: a service's own, which lives as long as it does. */
  readonly #lasting = new AbortController();
  #hungUp: AbortSignal[] = [];

  /** The signal of one caller. What makes it hang up ends with `done`. */
  next(random: SeededRandom): { readonly signal: AbortSignal | undefined; done(): void } {
    const { hangUp } = random.pick(MOMENTS);
    if (hangUp === undefined) {
      return { signal: random.next() < 0.5 ? this.#lasting.signal : undefined, done: () => undefined };
    }
    const controller = new AbortController();
    const over = new AbortController();
    this.#hungUp.push(controller.signal);
    const reason = new Error('the caller hung up');
    if (hangUp === 'before') controller.abort(reason);
    else {
      delay(random.next() * hangUp, undefined, { signal: over.signal }).then(
        () => controller.abort(reason),
        () => undefined,
      );
    }
    return { signal: controller.signal, done: () => over.abort() };
  }

  /** Listeners that operations have left on signals since the last count; none are under way. */
  countListeners(): number {
    const signals = [this.#lasting.signal, ...this.#hungUp];
    this.#hungUp = [];
    return signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0);
  }
}
