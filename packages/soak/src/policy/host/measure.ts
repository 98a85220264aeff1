import { setTimeout as delay } from 'node:timers/promises';
import { HungOperation, withPatience } from '../../s3/patience.js';
import type { ImageVersion } from '../images.js';
import type { HostCache } from './host-cache.js';
import type { Measurement, MeasureOptions } from './host-orders.js';
import type { KnownImages } from './known-images.js';
import { type Answer, request } from './requests.js';

/** Requests that begin at the same moment. */
const WIDTH = 24;
const PAUSE = 15;
/** Of the requests that begin together: with how many the look-up deadline is measured while a breaker is open. */
const BOUNDS_WHILE_OPEN = 2;

/**
 * Requests, known images and new ones by turns, and beside each at the same moment one that a cache that is off
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
    open: [] as number[],
    openExcess: [] as number[],
    outcomes: {} as Record<string, number>,
    unanswered: [] as string[],
    wrong: [] as string[],
  };

  constructor(cache: HostCache, images: KnownImages, options: MeasureOptions) {
    this.#cache = cache;
    this.#images = images;
    this.#options = options;
  }

  async run(): Promise<Measurement> {
    const ends = performance.now() + this.#options.duration;
    const bounds: Promise<void>[] = [];
    do {
      const width = this.#isOpen() ? BOUNDS_WHILE_OPEN : WIDTH;
      bounds.push(...Array.from({ length: width }, () => this.#measureBound()));
      await Promise.all(Array.from({ length: WIDTH }, (_, index) => this.#measurePair(index)));
      await delay(PAUSE);
    } while (performance.now() < ends);
    await Promise.all(bounds);
    return this.#measured;
  }

  async #measurePair(index: number): Promise<void> {
    const image = index % 2 === 0 ? this.#images.known(index) : this.#images.fresh();
    const wasOpen = this.#isOpen();
    // Neither of the two is always the first.
    const [early, late] = index % 4 < 2 ? [true, false] : [false, true];
    const before = early ? this.#ask(image) : undefined;
    const baseline = request(this.#cache.off, this.#images.fresh());
    const after = late ? this.#ask(image) : undefined;
    const [alone, answer] = await Promise.all([baseline, before ?? after]);
    this.#measured.baseline.push(alone.took);
    if (answer === undefined) return;
    this.#measured.requests.push(answer.took);
    if (wasOpen && this.#isOpen() && !answer.status.hit) {
      this.#measured.open.push(answer.took);
      this.#measured.openExcess.push(answer.took - alone.took);
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

  #isOpen(): boolean {
    return this.#cache.door.health().status === 'open';
  }
}
