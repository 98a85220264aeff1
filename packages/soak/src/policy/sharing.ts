import { setTimeout as delay } from 'node:timers/promises';
import { Host } from '../host/host.js';
import { SeededRandom } from '../random.js';
import { Findings, type SoakResult } from '../soak.js';
import {
  type Environment,
  openBucket,
  openFolder,
  readStoredEntries,
  type Site,
  sizeOfFolder,
  storeImages,
} from '../stores.js';
import { HostTraffic } from './host-traffic.js';

const HOSTS = 8;
const PAUSE = 300;
/** How long the hosts get to store enough, in milliseconds. */
const PATIENCE = 180_000;
/** By how much the entries may exceed the limit, as a share of it. */
const EXCESS = 0.05;
/** Shares of the limit: what is stored before, what the hosts store at least, and what must be left of it. */
const [BEFORE, TURNOVER, LEFT] = [0.9, 0.2, 0.8];
/** The largest image, as a share of the limit: all together are twice as large as the limit. */
const LARGEST = 1 / 1000;
// Every second a twentieth of the folder is replaced: much for a cache, but not faster than it can evict.
const UNHURRIED = 200;

export interface SharingOptions {
  readonly seed: number;
  /** How long the hosts use each store at least, in milliseconds. */
  readonly duration: number;
  /** Of the folder, in bytes. */
  readonly maxSize: number;
  /** More variables of the hosts. */
  readonly env?: Environment;
  progress(text: string): void;
}

/** Hosts with overlapping images on one folder, whose size is limited, and then on one bucket. */
export async function runSharing(options: SharingOptions): Promise<SoakResult> {
  const { seed, duration, maxSize, env, progress } = options;
  const random = new SeededRandom(seed);
  const traffic = new HostTraffic();
  const [damaged, sizes] = [new Findings(), new Findings()];
  const largest = Math.floor(maxSize * LARGEST);
  let entries = 0;

  /** @param look is called now and then, and says whether the hosts have done enough */
  const share = async (
    site: Site,
    pause: number,
    look: (operation: string, hosts: readonly Host[]) => Promise<boolean>,
  ): Promise<void> => {
    const operation = `${site.use}, ${HOSTS} hosts`;
    const variables = { ...site.env, IMGPROXY_CACHE_FS_MAX_SIZE: String(maxSize), ...env };
    const hosts = await Promise.all(Array.from({ length: HOSTS }, () => Host.start(variables)));
    const load = { sources: 4000, largest, deletions: 0.02, lanes: 4, pause };
    const running = hosts.map((host) => traffic.begin(host, operation, random.uint32(), load));
    progress(operation);
    const began = performance.now();
    for (let enough = false, age = 0; age < duration || (!enough && age < PATIENCE); ) {
      await delay(PAUSE);
      enough = await look(operation, hosts);
      age = performance.now() - began;
    }
    await Promise.all(running.map((each) => each.stop()));
    await Promise.all(hosts.map((host) => host.close()));
    await Promise.all(hosts.map((host) => host.kill()));
    const read = await readStoredEntries(site);
    entries += read.entries;
    damaged.add(...read.problems);
  };

  await using folder = await openFolder();
  const root = folder.env['IMGPROXY_CACHE_FS_ROOT'] ?? '';
  await storeImages(folder, maxSize * BEFORE, largest, random);
  let most = 0;
  await share(folder, UNHURRIED, async (operation, hosts) => {
    // An entry that is replaced during the count could be counted twice.
    for (const host of hosts) host.signal('SIGSTOP');
    most = Math.max(most, await sizeOfFolder(root));
    for (const host of hosts) host.signal('SIGCONT');
    return traffic.tally.count(operation, 'stored bytes') > maxSize * TURNOVER;
  });
  const atEnd = await sizeOfFolder(root);
  if (most > maxSize * (1 + EXCESS)) sizes.add(`${most} bytes`);
  if (atEnd < maxSize * LEFT) sizes.add(`${atEnd} bytes at the end: too few`);
  await using bucket = await openBucket();
  await share(bucket, 0, async () => true);

  const hosts = `${HOSTS} hosts on a folder, and on a bucket`;
  return {
    outcomes: traffic.tally.outcomes(),
    judgements: [
      damaged.judge('every entry in a shared store is whole', `${hosts}, ${entries} entries read`),
      traffic.wrong.judge('nothing wrong is served from a shared store', hosts),
      traffic.unanswered.judge('hosts on a shared store answer', hosts),
      sizes.judge(
        'the size limit holds within 5 %',
        `at most ${most} bytes, at the end ${atEnd}, of ${maxSize}`,
      ),
    ],
  };
}
