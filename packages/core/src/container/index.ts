export type { CacheOptions } from './cache-configuration.js';
export { cacheModule } from './cache-module.js';
export * from './create-image-cache.js';
export { CACHE } from './tokens.js';
