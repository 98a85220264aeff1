import { setTimeout as delay } from 'node:timers/promises';
import { HungOperation, withPatience } from '../../s3/patience.js';
import type { ImageVersion } from '../images.js';
import type { HostCache } from './host-cache.js';
import type { Measurement, MeasureOptions } from './host-orders.js';
import type { KnownImages } from './known-images.js';
import { type Answer, request } from './requests.js';

/** Pairs that begin at the same moment: many while look-ups fail, few once they are suspended and time is all. */
const WIDTH = { failing: 16, suspended: 4 };
/** With how many of them the look-up deadline is measured. */
const BOUNDS = { failing: 16, suspended: 1 };
const PAUSE = 5;
/** Requests of whose look-ups none was made, so that their figures mean something. */
const ENOUGH_SUSPENDED = 200;

/**
 * Requests, for known images and new ones by turns, and beside each at the same moment one that a cache that is off
 * answers: what slows the machine down slows both.
 */
export class FaultMeasurement {
  readonly #cache: HostCache;
  readonly #images: KnownImages;
  readonly #options: MeasureOptions;
  readonly #measured = {
    baseline: [] as number[],
    bound: [] as number[],
    requests: [] as number[],
    suspended: [] as number[],
    suspendedExcess: [] as number[],
    outcomes: {} as Record<string, number>,
    unanswered: [] as string[],
    wrong: [] as string[],
  };
  #opened = false;
  #pairs = 0;

  constructor(cache: HostCache, images: KnownImages, options: MeasureOptions) {
    this.#cache = cache;
    this.#images = images;
    this.#options = options;
  }

  async run(): Promise<Measurement> {
    const began = performance.now();
    const bounds: Promise<void>[] = [];
    do {
      const state = this.#cache.suspended.lookups ? 'suspended' : 'failing';
      bounds.push(...Array.from({ length: BOUNDS[state] }, () => this.#measureBound()));
      await Promise.all(Array.from({ length: WIDTH[state] }, () => this.#measurePair()));
      this.#opened ||= this.#cache.suspended.lookups || this.#cache.suspended.stores;
      await delay(PAUSE);
    } while (this.#goesOn(performance.now() - began));
    await Promise.all(bounds);
    return { ...this.#measured, opened: this.#opened };
  }

  #goesOn(age: number): boolean {
    const { duration, opens, patience } = this.#options;
    if (age < duration) return true;
    if (age > patience) return false;
    if (opens && !this.#opened) return true;
    return this.#cache.suspended.lookups && this.#measured.suspended.length < ENOUGH_SUSPENDED;
  }

  async #measurePair(): Promise<void> {
    this.#pairs += 1;
    const turn = this.#pairs % 4;
    const image = turn % 2 === 0 ? this.#images.known() : this.#images.fresh();
    const alone = this.#images.fresh();
    const wasSuspended = this.#cache.suspended.lookups;
    // Neither of the two is always the first.
    const first = turn < 2 ? this.#ask(image) : undefined;
    const baseline = request(this.#cache.off, alone);
    const [answer, { took }] = await Promise.all([first ?? this.#ask(image), baseline]);
    this.#measured.baseline.push(took);
    if (answer === undefined) return;
    this.#measured.requests.push(answer.took);
    if (wasSuspended && this.#cache.suspended.lookups && !answer.status.hit) {
      this.#measured.suspended.push(answer.took);
      this.#measured.suspendedExcess.push(answer.took - took);
    }
  }

  async #ask(image: ImageVersion): Promise<Answer | undefined> {
    try {
      const answer = await withPatience(request(this.#cache.door, image), this.#options.patience);
      const outcome = String(answer.status).replace('imgproxy-cache; ', '');
      this.#measured.outcomes[outcome] = (this.#measured.outcomes[outcome] ?? 0) + 1;
      if (answer.problem !== undefined) this.#measured.wrong.push(answer.problem);
      return answer;
    } catch (error) {
      const story = error instanceof HungOperation ? 'it does not end' : String(error).slice(0, 200);
      this.#measured.unanswered.push(`a request for image ${image.source}: ${story}`);
      return undefined;
    }
  }

  async #measureBound(): Promise<void> {
    const began = performance.now();
    await delay(this.#options.deadline);
    await request(this.#cache.off, this.#images.fresh());
    this.#measured.bound.push(performance.now() - began);
  }
}
