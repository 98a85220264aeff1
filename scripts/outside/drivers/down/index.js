import { CACHE } from '@imgproxy-cache/core';
import { CacheError, defineCacheDriver } from '@imgproxy-cache/core/driver';

export { CACHE, CacheError };

const refuse = async () => {
  throw new CacheError('ERR_CACHE_ACCESS_DENIED', 'the store is not for you', { driver: 'down' });
};

export default defineCacheDriver({
  name: 'down',
  contract: 1,
  config: {},
  capabilities: { shared: true },
  create: () => ({
    get: refuse,
    put: refuse,
    delete: refuse,
    list: refuse,
    check: async () => ({ ok: true, findings: [] }),
    close: async () => {},
  }),
});
