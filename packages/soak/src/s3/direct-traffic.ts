import {
  type CacheDriver,
  createEntry,
  readVerified,
  type StoredEntry,
  streamVerified,
  verifyName,
} from '@imgproxy-cache/core/driver';
import type { SeededRandom } from '../seeded-random.js';
import { etagOf, versionOf } from './journal.js';
import type { Traffic, TrafficRecord } from './traffic.js';

const NAMES = 100;
const PREFIX = 'direct';

const OPERATIONS = [
  { weight: 60, operation: 'get' },
  { weight: 32, operation: 'put' },
  { weight: 5, operation: 'delete' },
  { weight: 3, operation: 'list' },
] as const;

const READINGS = [
  { weight: 45, reading: 'bytes' },
  { weight: 35, reading: 'stream' },
  { weight: 8, reading: 'left after the first chunk' },
  { weight: 6, reading: 'discarded' },
  { weight: 6, reading: 'disposed of' },
] as const;

/** Operations on a driver itself. */
export class DirectTraffic implements Traffic {
  readonly #driver: CacheDriver;
  readonly #record: TrafficRecord;

  constructor(driver: CacheDriver, record: TrafficRecord) {
    this.#driver = driver;
    this.#record = record;
  }

  async perform(random: SeededRandom, signal: AbortSignal | undefined): Promise<void> {
    const { operation } = random.pick(OPERATIONS);
    await this.#record.outcomeOf(operation, signal, () => this.#start(operation, random, signal));
  }

  async #start(
    operation: (typeof OPERATIONS)[number]['operation'],
    random: SeededRandom,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    switch (operation) {
      case 'get':
        return await this.#get(nameOf(random.below(NAMES)), random.pick(READINGS).reading, signal);
      case 'put':
        await this.#put(random.below(NAMES), signal);
        return 'stored';
      case 'delete': {
        const names = Array.from({ length: 1 + random.below(4) }, () => nameOf(random.below(NAMES)));
        await this.#driver.delete([...new Set(names)], { signal });
        return 'deleted';
      }
      case 'list': {
        const prefix = random.next() < 0.5 ? PREFIX : `${PREFIX}/${random.below(10)}`;
        for await (const _name of this.#driver.list(prefix, { signal }));
        return 'listed';
      }
    }
  }

  async #put(index: number, signal: AbortSignal | undefined): Promise<void> {
    const { images } = this.#record;
    const version = images.create(index);
    const name = nameOf(index);
    const description = { name, contentType: 'image/webp', created: Date.now(), etag: etagOf(version) };
    await this.#driver.put(name, createEntry(description, images.bodyOf(version)), { signal });
  }

  async #get(
    name: string,
    reading: (typeof READINGS)[number]['reading'],
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const entry = await this.#driver.get(name, { signal });
    if (entry === undefined) return 'miss';
    await using held = entry;
    verifyName(held.metadata, name);
    if (reading === 'disposed of') return `hit, ${reading}`;
    if (reading === 'discarded') {
      await held.discard();
      return `hit, ${reading}`;
    }
    return await this.#read(held, reading, signal);
  }

  async #read(
    entry: StoredEntry,
    reading: 'bytes' | 'stream' | 'left after the first chunk',
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const chunks: Uint8Array[] = [];
    if (reading === 'bytes') chunks.push(await readVerified(entry, { signal }));
    else {
      for await (const chunk of streamVerified(entry, { signal })) {
        if (reading === 'left after the first chunk') return `hit, ${reading}`;
        chunks.push(chunk);
      }
    }
    this.#record.deliver(
      versionOf(entry.metadata.etag),
      Buffer.concat(chunks),
      `a get of ${entry.metadata.name}`,
    );
    return `hit, ${reading}`;
  }
}

function nameOf(index: number): string {
  return `${PREFIX}/${index % 10}/image ${index}`;
}
