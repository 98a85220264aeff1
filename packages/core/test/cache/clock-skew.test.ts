import { expect, it } from 'vitest';
import { cacheUnderTest, REQUEST, renderer, served, until } from './cache-under-test.js';

const EXPIRED = 'imgproxy-cache; fwd=miss; detail=expired';
const HIT = 'imgproxy-cache; hit';

// The clock of a host was a day ahead when it stored the image: it would live a day too long.
it.each([
  ['more than a minute ahead, is expired', { ahead: 86_400_000, ttl: '3600' }, EXPIRED],
  [
    'a minute ahead, is served, since the clocks of hosts differ a little',
    { ahead: 60_000, ttl: '3600' },
    HIT,
  ],
  ['a day ahead, is served where it never expires', { ahead: 86_400_000, ttl: '0' }, HIT],
])('an entry from the future, %s', async (_what, { ahead, ttl }, expected) => {
  const made = await cacheUnderTest({ IMGPROXY_CACHE_TTL_SECONDS: ttl });
  await served(made.cache.fetch(REQUEST, renderer()));
  await until(() => made.memory.size === 1);
  const name = made.memory.names[0] ?? '';
  const entry = made.memory.peek(name);
  if (entry === undefined) throw new Error('nothing was stored');
  const { metadata, body } = entry;
  const created = metadata.created + ahead;
  const expires = metadata.expires === undefined ? {} : { expires: metadata.expires + ahead };
  await made.memory.put(name, { metadata: { ...metadata, created, ...expires }, body });
  expect((await served(made.cache.fetch(REQUEST, renderer()))).status).toBe(expected);
});
