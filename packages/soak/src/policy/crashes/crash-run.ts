import { setTimeout as delay } from 'node:timers/promises';
import { Findings } from '../../findings.js';
import { SeededRandom } from '../../seeded-random.js';
import type { Judgement } from '../../soak.js';
import { HostProcess } from '../host/host-process.js';
import type { Site } from '../sites.js';
import { readStoredEntries } from '../stored-entries.js';
import { TrafficFindings } from '../traffic-findings.js';

/** Hosts on one store at a time. */
const HOSTS = 3;
/** How long a host lives under load at most, in milliseconds. */
const LONGEST_LIFE = 400;
/** What lies about of hosts that live, and of killed ones that nobody has cleaned yet. */
const MOST_LEFTOVERS = {
  // Each writes 16 files at a time, IMGPROXY_CACHE_STORE_CONCURRENCY; a host that is killed early cleans nothing.
  fs: 3 * HOSTS * 16,
  // IMGPROXY_CACHE_S3_MAX_SOCKETS of each.
  s3: 2 * HOSTS * 128,
};
const LOOKS = 400;
const PAUSE = 25;
const TOLD_EVERY = 20;

// Large enough for a kill to meet writes that are under way.
const TRAFFIC = { sources: 100, largest: 600_000, deletions: 0.3, lanes: 12, pause: 0 };

export interface CrashOptions {
  readonly seed: number;
  /** How many hosts are killed, half of them on each store. */
  readonly kills: number;
  /** URL of the module of a mistake that the hosts make. */
  readonly mistake?: string | undefined;
  progress(text: string): void;
}

/** Hosts that are killed by SIGKILL under load, each replaced at once. */
export class CrashRun {
  readonly traffic = new TrafficFindings();
  readonly #options: CrashOptions;
  readonly #damaged = new Findings();
  readonly #leftovers = new Findings();
  readonly #busy = new Findings();
  #killed = 0;
  #entries = 0;
  #mostLeftovers = 0;

  constructor(options: CrashOptions) {
    this.#options = options;
  }

  async on(site: Site): Promise<void> {
    const random = new SeededRandom(this.#options.seed);
    let left = Math.ceil(this.#options.kills / 2);
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.#killOne(site, random);
        await this.#look(site);
        if (left % TOLD_EVERY === 0) this.#options.progress(`${site.use}: ${left} hosts to kill`);
      }
    };
    await Promise.all(Array.from({ length: HOSTS }, lane));
    await this.#serveOnce(site, random);
    await this.#waitUntilClean(site);
    await this.#readAll(site);
  }

  judge(): Judgement[] {
    const killed = `${this.#killed} hosts killed`;
    return [
      this.#damaged.judge('every entry is whole after kills', `${killed}, ${this.#entries} entries read`),
      this.traffic.wrong.judge('nothing wrong is served between kills', killed),
      this.traffic.unanswered.judge('hosts answer between kills', killed),
      this.#leftovers.judge(
        'leftovers of killed hosts are bounded and cleaned',
        `${killed}, at most ${this.#mostLeftovers} unfinished files at a time, none at the end`,
      ),
      this.#busy.judge('the host after the killed ones ends well', 'on both stores'),
    ];
  }

  async #killOne(site: Site, random: SeededRandom): Promise<void> {
    const host = await this.#start(site, random);
    await delay(random.below(LONGEST_LIFE));
    this.traffic.add(`${site.use}, killed hosts`, await host.ask('tally', undefined));
    await host.kill();
    this.#killed += 1;
  }

  /** A host that comes after all that were killed serves for a while and ends well. */
  async #serveOnce(site: Site, random: SeededRandom): Promise<void> {
    const host = await this.#start(site, random);
    await delay(LONGEST_LIFE);
    const { flights, stores, bytes } = await host.ask('close', undefined);
    if (flights + stores + bytes > 0) {
      this.#busy.add(`on ${site.use} with ${flights} flights, ${stores} stores and ${bytes} bytes`);
    }
    this.traffic.add(`${site.use}, the host after them`, await host.ask('tally', undefined));
    await host.kill();
  }

  async #start(site: Site, random: SeededRandom): Promise<HostProcess> {
    const { mistake } = this.#options;
    const host = await HostProcess.start({ env: site.env, mistake }, this.traffic.onTrouble);
    await host.ask('traffic', { ...TRAFFIC, seed: random.uint32() });
    return host;
  }

  async #look(site: Site): Promise<void> {
    const leftovers = await site.countLeftovers();
    if (site.use === 'fs') this.#mostLeftovers = Math.max(this.#mostLeftovers, leftovers);
    if (leftovers > MOST_LEFTOVERS[site.use]) this.#leftovers.add(`${leftovers} on ${site.use}`);
  }

  async #waitUntilClean(site: Site): Promise<void> {
    let leftovers = await site.countLeftovers();
    for (let look = 0; leftovers > 0 && look < LOOKS; look += 1) {
      await delay(PAUSE);
      leftovers = await site.countLeftovers();
    }
    if (leftovers > 0) this.#leftovers.add(`${leftovers} on ${site.use} at the end`);
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
