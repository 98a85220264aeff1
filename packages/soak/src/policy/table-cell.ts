import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FakeS3Process, testAuthorityFile } from 'fake-s3';
import { Host, type Load, type Seen } from '../host/host.js';
import type { ImageVersion } from '../images.js';
import { SeededRandom } from '../random.js';
import { inLanes } from '../soak.js';
import { bucketEnv, type Environment } from '../stores.js';
import type { HostFault } from './store-faults.js';

/** Durations are in milliseconds. */
export interface TableSettings {
  /** The deadlines of the hosts' caches. */
  readonly deadlines: Readonly<Record<HostFault['deadline'], number>>;
  /** How long a fault lasts after its first deadline. */
  readonly duration: number;
  /** Pairs of requests a second. */
  readonly rate: number;
  /** After how long a request is given up. */
  readonly patience: number;
  /** After how long recovery is given up. */
  readonly recoveryPatience: number;
  /** How many requests may be slow, whatever share that is. */
  readonly fewSlow: number;
  /** More variables of the hosts. */
  readonly env: Environment;
}

/** A fault, and the circumstances in which it strikes. */
export interface TableCell {
  readonly fault: HostFault;
  readonly wire: 'http' | 'https';
  /** Share of the requests that are for stored images. */
  readonly hits: number;
  /** Duration of a rendering, in milliseconds. */
  readonly rendering: number;
}

/** A request through the cache, and one without it that began at the same moment. */
export interface Pair {
  /** When they began, in milliseconds after the traffic. */
  readonly at: number;
  readonly cached: Seen;
  readonly plain: Seen;
}

export interface CellResult extends TableCell {
  /** In the order they began; none from a host that has not started. */
  readonly pairs: readonly Pair[];
  /** When all was well, in milliseconds after the fault's end; `undefined` for never. */
  readonly recovery: number | undefined;
  /** What the cache was busy with once it was closed; `undefined` for a host that had died. */
  readonly left: Load | undefined;
}

/** A name in the certificate of the fake S3. */
const STORE_NAME = 's3.example.com';
/** How many images are stored before a fault begins. */
const KNOWN = { small: 96, large: 8 };
const SIZE = { small: 16_384, large: 1_300_000 };
const NEW_FROM = 1000;
const LANES = 16;
const WARM_UP_PATIENCE = 60_000;
const PAUSE = 50;
/** So many hits in a row show that the store is well. */
const HITS_OF_A_WELL_STORE = 12;

/** Lets a fault strike the store of a host under traffic, ends it and waits for recovery. */
export async function runCell(cell: TableCell, seed: number, settings: TableSettings): Promise<CellResult> {
  const { fault, wire } = cell;
  const { deadlines, duration, recoveryPatience } = settings;
  const traffic = new CellTraffic(cell, seed, settings);
  await using store = await FakeS3Process.start({ tls: wire === 'https' });
  const hosts: Host[] = [];
  let end = async (): Promise<void> => undefined;
  try {
    let host = await startHost(store, settings);
    hosts.push(host);
    const isWarm = await waitFor(WARM_UP_PATIENCE, () => traffic.areHits(host, traffic.allKnown()));
    if (isWarm === undefined) throw new Error('images are no hits before it');
    if (fault.atStart) await host.kill();
    end = await fault.strike(store);
    if (fault.atStart) {
      const started = await startHost(store, settings, fault.addresses).catch(() => undefined);
      if (started === undefined) return { ...cell, pairs: [], recovery: undefined, left: undefined };
      host = started;
      hosts.push(host);
    }
    const pairs = await traffic.run(host, deadlines[fault.deadline] + duration);
    await end();
    const images = traffic.someKnown(HITS_OF_A_WELL_STORE);
    const recovery = await waitFor(recoveryPatience, () => traffic.areHits(host, images));
    return { ...cell, pairs, recovery, left: await host.close().catch(() => undefined) };
  } catch (error) {
    throw new Error(`${describeCell(cell)}: ${String(error)}`, { cause: error });
  } finally {
    await Promise.all(hosts.map((each) => each.kill()));
    await end();
  }
}

export function describeCell({ fault, wire, hits, rendering }: TableCell): string {
  return `${fault.name}, ${wire}, ${Math.round(hits * 100)} % hits, rendering ${rendering} ms`;
}

function startHost(
  store: FakeS3Process,
  { env, patience }: TableSettings,
  addresses?: readonly string[],
): Promise<Host> {
  const endpoint = addresses ? store.endpoint.replace('127.0.0.1', STORE_NAME) : store.endpoint;
  const variables = {
    ...bucketEnv(endpoint),
    NODE_EXTRA_CA_CERTS: fileURLToPath(testAuthorityFile),
    ...(addresses && { SOAK_NAMES: `${STORE_NAME}=${addresses.join()}` }),
    ...env,
  };
  return Host.start(variables, patience);
}

/** Requests for stored images and new ones. */
class CellTraffic {
  readonly #cell: TableCell;
  readonly #rate: number;
  readonly #random: SeededRandom;
  readonly #turn = { small: 0, large: 0 };
  #new = NEW_FROM;

  constructor(cell: TableCell, seed: number, { rate }: TableSettings) {
    this.#cell = cell;
    this.#rate = rate;
    this.#random = new SeededRandom(seed);
  }

  allKnown(): ImageVersion[] {
    const sizes = this.#cell.fault.large > 0 ? (['small', 'large'] as const) : (['small'] as const);
    return sizes.flatMap((size) => Array.from({ length: KNOWN[size] }, () => this.#knownOf(size)));
  }

  someKnown(count: number): ImageVersion[] {
    return Array.from({ length: count }, () => this.#draw(1));
  }

  /** Sends pairs at a steady rate for so many milliseconds: slow answers do not make the pairs fewer. */
  async run(host: Host, duration: number): Promise<Pair[]> {
    const began = performance.now();
    const pairs: Promise<Pair>[] = [];
    for (let at = 0; at < duration; at += 1000 / this.#rate) {
      await delay(Math.max(0, at - (performance.now() - began)));
      pairs.push(this.#sendPair(host, performance.now() - began));
    }
    return await Promise.all(pairs);
  }

  async areHits(host: Host, images: readonly ImageVersion[]): Promise<boolean> {
    const left = [...images];
    let areAll = true;
    await inLanes(LANES, async () => {
      const image = left.shift();
      if (image === undefined) return false;
      const { status, end } = await host.get('cached', image, this.#cell.rendering);
      areAll &&= end === 'whole' && /^hit\b(?!.*pending)/.test(status);
      return true;
    });
    return areAll;
  }

  async #sendPair(host: Host, at: number): Promise<Pair> {
    const { hits, rendering } = this.#cell;
    const image = this.#draw(hits);
    const twin = this.#newOf(image.size);
    // Neither kind always goes first.
    const early = this.#new % 2 === 0 ? host.get('cached', image, rendering) : undefined;
    const [plain, cached] = await Promise.all([
      host.get('plain', twin, rendering),
      early ?? host.get('cached', image, rendering),
    ]);
    return { at, cached, plain };
  }

  #draw(hits: number): ImageVersion {
    const size = this.#random.next() < this.#cell.fault.large ? 'large' : 'small';
    return this.#random.next() < hits ? this.#knownOf(size) : this.#newOf(SIZE[size]);
  }

  #knownOf(size: keyof typeof KNOWN): ImageVersion {
    this.#turn[size] = (this.#turn[size] + 1) % KNOWN[size];
    return { source: this.#turn[size] + (size === 'large' ? KNOWN.small : 0), version: 0, size: SIZE[size] };
  }

  #newOf(size: number): ImageVersion {
    this.#new += 1;
    return { source: this.#new, version: 0, size };
  }
}

/** @returns after how many milliseconds it was reached; `undefined` where patience ended before */
async function waitFor(patience: number, reached: () => Promise<boolean>): Promise<number | undefined> {
  const began = performance.now();
  for (;;) {
    const isReached = await reached();
    const took = performance.now() - began;
    if (took > patience) return undefined;
    if (isReached) return took;
    await delay(PAUSE);
  }
}
