import { setTimeout as delay } from 'node:timers/promises';
import { isCacheError } from '@imgproxy-cache/core/driver';
import { SeededRandom } from '../../seeded-random.js';
import { drawVersion, urlOf } from '../images.js';
import type { CacheDoor } from './host-mistake.js';
import type { HostNews, TrafficOptions, TrafficTally } from './host-orders.js';
import { request } from './requests.js';

/** Requests and deletions of overlapping images, until it is stopped. */
export class HostTraffic {
  readonly #cache: CacheDoor;
  readonly #options: TrafficOptions;
  readonly #random: SeededRandom;
  readonly #tell: (news: HostNews) => void;
  readonly #tally = { requests: 0, hits: 0, stored: 0, deletions: 0, failures: 0 };
  #lanes: Promise<unknown> | undefined;
  #stopped = false;

  /** @param tell is told at once what is wrong, since a host may be killed at any moment */
  constructor(cache: CacheDoor, options: TrafficOptions, tell: (news: HostNews) => void) {
    this.#cache = cache;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#tell = tell;
  }

  get tally(): TrafficTally {
    return { ...this.#tally };
  }

  start(): void {
    this.#lanes = Promise.all(Array.from({ length: this.#options.lanes }, () => this.#lane()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#lanes;
  }

  async #lane(): Promise<void> {
    const { sources, deletions, pause } = this.#options;
    while (!this.#stopped) {
      const source = this.#random.below(sources);
      if (this.#random.next() < deletions) await this.#delete(source);
      else await this.#fetch(source);
      if (pause > 0) await delay(pause);
    }
  }

  async #fetch(source: number): Promise<void> {
    try {
      const image = drawVersion(source, this.#options.largest, this.#random);
      const { status, problem } = await request(this.#cache, image);
      this.#tally.requests += 1;
      if (status.hit) this.#tally.hits += 1;
      if (status.detail === 'queued') this.#tally.stored += image.size;
      if (problem !== undefined)
        this.#tell({ news: 'trouble', kind: 'wrong', story: `${problem} (${status})` });
    } catch (error) {
      this.#tell({ news: 'trouble', kind: 'unanswered', story: String(error).slice(0, 200) });
    }
  }

  /** One that fails leaves the image where it is: only what is no CacheError is told. */
  async #delete(source: number): Promise<void> {
    this.#tally.deletions += 1;
    try {
      await this.#cache.delete({ source: urlOf(source) });
    } catch (error) {
      this.#tally.failures += 1;
      if (isCacheError(error)) return;
      this.#tell({ news: 'trouble', kind: 'unanswered', story: String(error).slice(0, 200) });
    }
  }
}
