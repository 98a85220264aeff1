import { setTimeout as delay } from 'node:timers/promises';
import { Findings } from '../../findings.js';
import { SeededRandom } from '../../seeded-random.js';
import type { Judgement, SoakResult } from '../../soak.js';
import type { Environment } from '../caches.js';
import { HostProcess } from '../host/host-process.js';
import { BucketSite, FileSite, type Site } from '../sites.js';
import { readStoredEntries } from '../stored-entries.js';
import { TrafficFindings } from '../traffic-findings.js';

const HOSTS = 8;
const PAUSE = 300;
/** How long is waited for the limit to be reached, in milliseconds. */
const PATIENCE = 120_000;
/** By how much the entries may exceed the limit, as a share of it. */
const EXCESS = 0.05;
/** Below this share of the limit it was no limit. */
const FULL = 0.8;

const TRAFFIC = { sources: 4000, deletions: 0.02, lanes: 4 };
/** The largest image, as a share of the limit: all together they are twice as large, so that they go and come back. */
const LARGEST = 1 / 1000;

export interface SharingOptions {
  readonly seed: number;
  /** How long the hosts use each store, in milliseconds. */
  readonly duration: number;
  /** Of the folder, in bytes. */
  readonly maxSize: number;
  /** Variables of the hosts besides those that the run needs. */
  readonly env?: Environment;
  /** URL of the module of a mistake that the hosts make. */
  readonly mistake?: string | undefined;
  progress(text: string): void;
}

/** Hosts on one folder, whose size is limited, and on one bucket, with overlapping images. */
export async function runSharing(options: SharingOptions): Promise<SoakResult> {
  const run = new SharingRun(options);
  await run.onFiles();
  await run.onBucket();
  return { outcomes: run.traffic.outcomes(), judgements: run.judge() };
}

class SharingRun {
  readonly traffic = new TrafficFindings();
  readonly #options: SharingOptions;
  readonly #damaged = new Findings();
  readonly #size = new Findings();
  #entries = 0;
  #largest = 0;
  #atEnd = 0;

  constructor(options: SharingOptions) {
    this.#options = options;
  }

  async onFiles(): Promise<void> {
    await using site = await FileSite.create();
    const { maxSize } = this.#options;
    const limit = { IMGPROXY_CACHE_FS_MAX_SIZE: String(maxSize) };
    await this.#use(site, limit, async () => {
      this.#largest = Math.max(this.#largest, await site.folder.size());
      return this.#largest > maxSize * FULL;
    });
    this.#atEnd = await site.folder.size();
    if (this.#largest > maxSize * (1 + EXCESS)) this.#size.add(`${this.#largest} bytes`);
    if (this.#atEnd < maxSize * FULL) this.#size.add(`${this.#atEnd} bytes at the end: too few`);
  }

  async onBucket(): Promise<void> {
    await using site = await BucketSite.create();
    await this.#use(site, {}, async () => true);
  }

  judge(): Judgement[] {
    const hosts = `${HOSTS} hosts on a folder, and on a bucket`;
    return [
      this.#damaged.judge(
        'every entry in a shared store is whole',
        `${hosts}, ${this.#entries} entries read`,
      ),
      this.traffic.wrong.judge('nothing wrong is served from a shared store', hosts),
      this.traffic.unanswered.judge('hosts on a shared store answer', hosts),
      this.#size.judge(
        'the size limit holds within 5 %',
        `at most ${this.#largest} bytes, at the end ${this.#atEnd}, of ${this.#options.maxSize}`,
      ),
    ];
  }

  /** @param look is asked now and then, while no host moves, whether all has come up that should */
  async #use(site: Site, limit: Environment, look: () => Promise<boolean>): Promise<void> {
    const { seed, duration, maxSize, mistake, env, progress } = this.#options;
    const traffic = { ...TRAFFIC, largest: Math.floor(maxSize * LARGEST) };
    const random = new SeededRandom(seed);
    const begin = async (): Promise<HostProcess> => {
      const options = { env: { ...site.env, ...limit, ...env }, mistake };
      const host = await HostProcess.start(options, this.traffic.onTrouble);
      await host.ask('traffic', { ...traffic, seed: random.uint32() });
      return host;
    };
    const hosts = await Promise.all(Array.from({ length: HOSTS }, begin));
    progress(`${HOSTS} hosts on ${site.use}`);
    const began = performance.now();
    for (let cameUp = false, age = 0; age < duration || (!cameUp && age < PATIENCE); ) {
      await delay(PAUSE);
      // Otherwise what goes and comes back while it is counted would be counted twice.
      for (const host of hosts) host.signal('SIGSTOP');
      cameUp = await look();
      for (const host of hosts) host.signal('SIGCONT');
      age = performance.now() - began;
    }
    for (const host of hosts) {
      this.traffic.add(`${site.use}, ${HOSTS} hosts`, await host.ask('tally', undefined));
    }
    await Promise.all(hosts.map((host) => host.ask('close', undefined)));
    await Promise.all(hosts.map((host) => host.kill()));
    await this.#readAll(site);
  }

  async #readAll(site: Site): Promise<void> {
    const driver = site.openDriver();
    const { entries, problems } = await readStoredEntries(driver);
    await driver.close();
    this.#entries += entries;
    this.#damaged.add(...problems);
    if (entries === 0) this.#damaged.add(`nothing is stored on ${site.use}`);
  }
}
