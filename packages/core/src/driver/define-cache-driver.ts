import type { ConfigTable } from './config-table.js';
import type { CacheDriverDefinition } from './contract.js';

/**
 * Types a driver's definition. The result is plain data, so it works with any copy of core.
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
