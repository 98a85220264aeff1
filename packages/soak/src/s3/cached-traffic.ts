import type { ImageCache } from '@imgproxy-cache/core';
import type { SeededRandom } from '../seeded-random.js';
import { etagOf, versionOf } from './journal.js';
import type { Traffic, TrafficRecord } from './traffic.js';

const SOURCES = 100;

const READINGS = [
  { weight: 50, reading: 'bytes' },
  { weight: 30, reading: 'stream' },
  { weight: 10, reading: 'left after the first chunk' },
  { weight: 10, reading: 'discarded' },
] as const;

/** Requests to a cache that stands before a driver. */
export class CachedTraffic implements Traffic {
  readonly #cache: ImageCache;
  readonly #record: TrafficRecord;
  /** Requests that were answered. */
  answered = 0;
  deletions = 0;

  constructor(cache: ImageCache, record: TrafficRecord) {
    this.#cache = cache;
    this.#record = record;
  }

  async perform(random: SeededRandom, signal: AbortSignal | undefined): Promise<void> {
    const source = random.below(SOURCES);
    if (random.next() < 0.08) {
      this.deletions += 1;
      await this.#record.outcomeOf('cache delete', undefined, async () => {
        await this.#cache.delete({ source: urlOf(source) });
        return 'deleted';
      });
    } else {
      const streams = random.next() < 0.3;
      const { reading } = random.pick(READINGS);
      await this.#record.outcomeOf('cache fetch', signal, () =>
        this.#fetch(source, streams, reading, signal),
      );
    }
  }

  async #fetch(
    source: number,
    streams: boolean,
    reading: (typeof READINGS)[number]['reading'],
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { status, image } = await this.#cache.fetch({ source: urlOf(source), signal }, () =>
      this.#render(source, streams),
    );
    this.answered += 1;
    const outcome = status.hit ? 'hit' : 'rendered';
    if (reading === 'discarded') {
      await image.discard();
      return `${outcome}, ${reading}`;
    }
    const chunks: Uint8Array[] = [];
    if (reading === 'bytes') chunks.push(await image.bytes());
    else {
      for await (const chunk of image.stream()) {
        if (reading === 'left after the first chunk') return `${outcome}, ${reading}`;
        chunks.push(chunk as Buffer);
      }
    }
    const version = versionOf(image.etag);
    const story = `a fetch of image ${source}, ${String(status)},`;
    this.#record.deliver(version, Buffer.concat(chunks), story);
    if (this.#record.images.subjectOf(version) !== source) {
      this.#record.wrongBytes.add(`${story} delivered version ${version}, which is another image`);
    }
    return `${outcome}, ${reading}`;
  }

  #render(source: number, streams: boolean) {
    const version = this.#record.images.create(source);
    const body = this.#record.images.bodyOf(version);
    return {
      body: streams ? inParts(body) : body,
      contentType: 'image/webp',
      etag: etagOf(version),
    };
  }
}

async function* inParts(body: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < body.length; start += 65_536) yield body.subarray(start, start + 65_536);
}

function urlOf(source: number): string {
  return `https://images.example.com/${source}.jpg`;
}
