import type { Clock } from '@imgproxy-cache/core/driver';
import type { SeededRandom } from '../seeded-random.js';
import type { BodyEffect, FaultConditions, FaultEffect, FaultPoint } from './fault.js';

/** A fault that was injected. */
export class InjectedFault {
  readonly point: FaultPoint;
  readonly effect: FaultEffect | BodyEffect;
  readonly #conditions: FaultConditions;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #injectedAt: number;
  readonly #removal = new AbortController();
  readonly #onRemoval: (fault: InjectedFault) => void;
  #calls = 0;
  #strikes = 0;

  constructor(
    point: FaultPoint,
    effect: FaultEffect | BodyEffect,
    conditions: FaultConditions,
    { clock, random }: { readonly clock: Clock; readonly random: SeededRandom },
    onRemoval: (fault: InjectedFault) => void,
  ) {
    this.point = point;
    this.effect = effect;
    this.#conditions = conditions;
    this.#clock = clock;
    this.#random = random;
    this.#injectedAt = clock.monotonic();
    this.#onRemoval = onRemoval;
  }

  /** How often it has struck. */
  get strikes(): number {
    return this.#strikes;
  }

  /** Aborts with the removal. */
  get removal(): AbortSignal {
    return this.#removal.signal;
  }

  /** Ends the fault. Operations that hang because of it continue. */
  remove(): void {
    this.#onRemoval(this);
    this.#removal.abort();
  }

  /** Counts a call. @returns whether the fault strikes it */
  strike(names: readonly string[] | undefined): boolean {
    const { after = 0, times = Number.POSITIVE_INFINITY, probability = 1, name } = this.#conditions;
    if (name !== undefined && names !== undefined && !names.some(name)) return false;
    this.#calls += 1;
    if (this.#calls <= after || this.#strikes >= times || !this.#isTime()) return false;
    if (probability < 1 && this.#random.next() >= probability) return false;
    this.#strikes += 1;
    return true;
  }

  #isTime(): boolean {
    const { from = 0, until = Number.POSITIVE_INFINITY } = this.#conditions;
    const age = this.#clock.monotonic() - this.#injectedAt;
    return age >= from && age < until;
  }
}
