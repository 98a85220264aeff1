import { setTimeout as delay } from 'node:timers/promises';
import { describeLoad, Host } from '../host/host.js';
import { SeededRandom } from '../random.js';
import { Findings, inLanes, type SoakResult } from '../soak.js';
import { type Environment, openBucket, openFolder, readStoredEntries, type Site } from '../stores.js';
import { HostTraffic } from './host-traffic.js';

/** Hosts on one store at a time. */
const HOSTS = 3;
/** How long a host lives under load at most, in milliseconds. */
const LONGEST_LIFE = 400;
/** Leftovers of the live hosts, and of killed ones that no host has cleaned yet. */
const MOST_LEFTOVERS = {
  // Each writes 16 files at a time, IMGPROXY_CACHE_STORE_CONCURRENCY; a host that is killed early cleans nothing.
  fs: 3 * HOSTS * 16,
  // IMGPROXY_CACHE_S3_MAX_SOCKETS of each.
  s3: 2 * HOSTS * 128,
};
const LOOKS = 400;
const PAUSE = 25;

// Images large enough for a kill to interrupt writes.
const TRAFFIC = { sources: 100, largest: 600_000, deletions: 0.3, lanes: 12, pause: 0 };

export interface CrashOptions {
  readonly seed: number;
  /** How many hosts are killed, half of them on each store. */
  readonly kills: number;
  /** More variables of the hosts. */
  readonly env?: Environment;
  progress(text: string): void;
}

/** Kills hosts under load at random moments, on files and on S3, and examines what they leave. */
export async function runCrashes({ seed, kills, env = {}, progress }: CrashOptions): Promise<SoakResult> {
  const traffic = new HostTraffic();
  const [damaged, leftovers, busy] = [new Findings(), new Findings(), new Findings()];
  let [killed, entries, mostLeftovers] = [0, 0, 0];

  const crashOn = async (site: Site): Promise<void> => {
    const random = new SeededRandom(seed);
    const start = async (operation: string) => {
      const host = await Host.start({ ...site.env, ...env });
      return { host, load: traffic.begin(host, `${site.use}, ${operation}`, random.uint32(), TRAFFIC) };
    };
    let left = Math.ceil(kills / 2);
    await inLanes(HOSTS, async () => {
      if (left <= 0) return false;
      left -= 1;
      const { host, load } = await start('killed hosts');
      await delay(random.below(LONGEST_LIFE));
      load.abandon();
      await host.kill();
      killed += 1;
      const count = await site.countLeftovers();
      if (site.use === 'fs') mostLeftovers = Math.max(mostLeftovers, count);
      if (count > MOST_LEFTOVERS[site.use]) leftovers.add(`${count} on ${site.use}`);
      if (left % 20 === 0) progress(`${site.use}: ${left} hosts to kill`);
      return true;
    });
    const { host, load } = await start('the host after them');
    await delay(LONGEST_LIFE);
    await load.stop();
    const work = describeLoad(await host.close());
    if (work !== undefined) busy.add(`on ${site.use} with ${work}`);
    await host.kill();
    let count = await site.countLeftovers();
    for (let look = 0; count > 0 && look < LOOKS; look += 1) {
      await delay(PAUSE);
      count = await site.countLeftovers();
    }
    if (count > 0) leftovers.add(`${count} on ${site.use} at the end`);
    const read = await readStoredEntries(site);
    entries += read.entries;
    damaged.add(...read.problems);
  };

  const onSite = async (open: () => Promise<Site>): Promise<void> => {
    await using site = await open();
    await crashOn(site);
  };
  await Promise.all([onSite(openFolder), onSite(openBucket)]);
  const hosts = `${killed} hosts killed`;
  return {
    outcomes: traffic.tally.outcomes(),
    judgements: [
      damaged.judge('every entry is whole after kills', `${hosts}, ${entries} entries read`),
      traffic.wrong.judge('nothing wrong is served between kills', hosts),
      traffic.unanswered.judge('hosts answer between kills', hosts),
      leftovers.judge(
        'leftovers of killed hosts are bounded and cleaned',
        `${hosts}, at most ${mostLeftovers} unfinished files at a time, none at the end`,
      ),
      busy.judge('the host after the killed ones ends well', 'on both stores'),
    ],
  };
}
