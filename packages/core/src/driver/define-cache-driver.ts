import type { ConfigTable } from './config-table.js';
import type { CacheDriverDefinition } from './contract.js';

/**
 * Gives a driver's definition its types. It is plain data afterwards: which copy of core made it does not matter.
 *
 * @example
 * export default defineCacheDriver({
 *   name: 'foo',
 *   contract: 1,
 *   config: { url: { variable: 'IMGPROXY_CACHE_FOO_URL', type: 'string', default: '', required: true, doc: 'Where foo is.' } },
 *   capabilities: { shared: true },
 *   create: ({ url }, context) => new FooDriver(url, context),
 * });
 */
export function defineCacheDriver<const Table extends ConfigTable>(
  definition: CacheDriverDefinition<Table>,
): CacheDriverDefinition<Table> {
  return Object.freeze(definition);
}
