import { setTimeout as delay } from 'node:timers/promises';
import { Findings } from '../../findings.js';
import { SeededRandom } from '../../seeded-random.js';
import type { Judgement } from '../../soak.js';
import type { Environment } from '../caches.js';
import { HostProcess } from '../host/host-process.js';
import type { BucketSite, FileSite, Site } from '../sites.js';
import { readStoredEntries } from '../stored-entries.js';
import { storeImages } from '../stored-images.js';
import { TrafficFindings } from '../traffic-findings.js';

const HOSTS = 8;
const PAUSE = 300;
/** How long is waited for the hosts to store enough, in milliseconds. */
const PATIENCE = 180_000;
/** By how much the entries may exceed the limit, as a share of it. */
const EXCESS = 0.05;
/** Shares of the limit: what is stored before, what the hosts store at least, and what must be left of it. */
const [BEFORE, TURNOVER, LEFT] = [0.9, 0.2, 0.8];
/** The largest image, as a share of the limit: all together are twice as large as the limit. */
const LARGEST = 1 / 1000;

// Of the folder every second a twentieth is replaced: that is much for a cache, and no race with its eviction.
const TRAFFIC = { sources: 4000, deletions: 0.02, lanes: 4 };
const UNHURRIED = 200;

export interface SharingOptions {
  readonly seed: number;
  /** How long the hosts use each store at least, in milliseconds. */
  readonly duration: number;
  /** Of the folder, in bytes. */
  readonly maxSize: number;
  /** Variables of the hosts besides those that the run needs. */
  readonly env?: Environment;
  /** URL of the module of a mistake that the hosts make. */
  readonly mistake?: string | undefined;
  progress(text: string): void;
}

/** Hosts that use the same stores at the same time. */
export class SharingRun {
  readonly traffic = new TrafficFindings();
  readonly #options: SharingOptions;
  readonly #random: SeededRandom;
  readonly #largestImage: number;
  readonly #damaged = new Findings();
  readonly #size = new Findings();
  #entries = 0;
  #largest = 0;
  #atEnd = 0;

  constructor(options: SharingOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#largestImage = Math.floor(options.maxSize * LARGEST);
  }

  async onFolder(site: FileSite): Promise<void> {
    const { maxSize } = this.#options;
    const driver = site.openDriver();
    await storeImages(driver, {
      bytes: maxSize * BEFORE,
      largest: this.#largestImage,
      random: this.#random,
    });
    await driver.close();
    const limit = { IMGPROXY_CACHE_FS_MAX_SIZE: String(maxSize) };
    const hosts = await this.#start(site, limit, UNHURRIED);
    await this.#useFor(this.#options.duration, async () => {
      // Otherwise what goes and comes back while it is counted would be counted twice.
      for (const host of hosts) host.signal('SIGSTOP');
      this.#largest = Math.max(this.#largest, await site.folder.size());
      for (const host of hosts) host.signal('SIGCONT');
      const tallies = await Promise.all(hosts.map((host) => host.ask('tally', undefined)));
      return tallies.reduce((sum, { stored }) => sum + stored, 0) > maxSize * TURNOVER;
    });
    await this.#end(site, hosts);
    this.#atEnd = await site.folder.size();
    if (this.#largest > maxSize * (1 + EXCESS)) this.#size.add(`${this.#largest} bytes`);
    if (this.#atEnd < maxSize * LEFT) this.#size.add(`${this.#atEnd} bytes at the end: too few`);
  }

  async onBucket(site: BucketSite): Promise<void> {
    const hosts = await this.#start(site, {}, 0);
    await this.#useFor(this.#options.duration, async () => true);
    await this.#end(site, hosts);
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

  async #start(site: Site, limit: Environment, pause: number): Promise<HostProcess[]> {
    const { mistake, env } = this.#options;
    const traffic = { ...TRAFFIC, largest: this.#largestImage, pause };
    const begin = async (): Promise<HostProcess> => {
      const options = { env: { ...site.env, ...limit, ...env }, mistake };
      const host = await HostProcess.start(options, this.traffic.onTrouble);
      await host.ask('traffic', { ...traffic, seed: this.#random.uint32() });
      return host;
    };
    const hosts = await Promise.all(Array.from({ length: HOSTS }, begin));
    this.#options.progress(`${HOSTS} hosts on ${site.use}`);
    return hosts;
  }

  /** @param look is asked now and then whether all has come up that should */
  async #useFor(duration: number, look: () => Promise<boolean>): Promise<void> {
    const began = performance.now();
    for (let cameUp = false, age = 0; age < duration || (!cameUp && age < PATIENCE); ) {
      await delay(PAUSE);
      cameUp = await look();
      age = performance.now() - began;
    }
  }

  async #end(site: Site, hosts: readonly HostProcess[]): Promise<void> {
    for (const host of hosts) {
      this.traffic.add(`${site.use}, ${HOSTS} hosts`, await host.ask('tally', undefined));
    }
    await Promise.all(hosts.map((host) => host.ask('close', undefined)));
    await Promise.all(hosts.map((host) => host.kill()));
    const driver = site.openDriver();
    const { entries, problems } = await readStoredEntries(driver);
    await driver.close();
    this.#entries += entries;
    this.#damaged.add(...problems);
    if (entries === 0) this.#damaged.add(`nothing is stored on ${site.use}`);
  }
}
