/*
 * A host in a process of its own: it opens the cache that its environment says, and does what it is asked.
 */
import './host-names.js';
import { HostCache } from './host-cache.js';
import { loadMistake } from './host-mistake.js';
import type { HostNews, HostOrderName, HostOrders } from './host-orders.js';
import { serveImages } from './host-server.js';
import { HostTraffic } from './traffic.js';

type Handlers = {
  readonly [Name in HostOrderName]: (
    asked: HostOrders[Name]['asked'],
  ) => HostOrders[Name]['answer'] | Promise<HostOrders[Name]['answer']>;
};

// Nobody would stop it if the run itself were killed.
process.once('disconnect', () => process.exit());

const cache = await HostCache.open(await loadMistake());
const NO_TRAFFIC = { requests: 0, hits: 0, stored: 0, deletions: 0, failures: 0 };
let traffic: HostTraffic | undefined;

const handlers: Handlers = {
  serve: ({ rendering }) => serveImages(cache, rendering),
  traffic: (options) => {
    traffic = new HostTraffic(cache.door, options, tell);
    traffic.start();
  },
  tally: () => traffic?.tally ?? NO_TRAFFIC,
  close: async () => {
    await traffic?.stop();
    await cache.cache.close();
    return cache.cache.load;
  },
};

process.on('message', (message: { id: number; name: HostOrderName; asked: never }) => void handle(message));
tell({ news: 'ready' });

async function handle({ id, name, asked }: { id: number; name: HostOrderName; asked: never }): Promise<void> {
  try {
    process.send?.({ id, answer: await handlers[name](asked) });
  } catch (error) {
    process.send?.({ id, failure: String(error instanceof Error ? error.stack : error) });
  }
}

function tell(news: HostNews): void {
  process.send?.(news);
}
