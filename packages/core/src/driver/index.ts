/**
 * The driver contract: everything that a storage driver may import.
 * @module
 */
export {
  CACHE_ERROR_CODES,
  CacheError,
  type CacheErrorCode,
  type CacheErrorDetails,
  type CacheOperation,
  isCacheError,
} from './cache-error.js';
export { checkDriver, checkRoundTrip } from './check-round-trip.js';
export { type Clock, systemClock, type Timer } from './clock.js';
export type {
  ConfigFault,
  ConfigTable,
  ConfigType,
  ConfigValues,
  ConfigVariable,
  Environment,
} from './config-table.js';
export type {
  CacheDriver,
  CacheDriverDefinition,
  CacheEntry,
  CheckFinding,
  DriverCapabilities,
  DriverCheck,
  DriverContext,
  DriverEvent,
  OperationOptions,
  StoredEntry,
} from './contract.js';
export { defineCacheDriver } from './define-cache-driver.js';
export type { EntryMetadata, ImageDimensions } from './entry-metadata.js';
export { assertEntryName, isEntryName } from './entry-name.js';
export {
  createEntry,
  type EntryDescription,
  readVerified,
  streamVerified,
  verifyBody,
  verifyName,
} from './integrity.js';
export {
  decodeMetadata,
  encodeMetadata,
  MAX_FIELD_BYTES,
  MAX_METADATA_BYTES,
  type MetadataFields,
} from './metadata-codec.js';
export { OperationGuard, type RunningOperation } from './operation-guard.js';
export { RecentValues, type RecentValuesLimits } from './recent-values.js';
export { type BodySource, BufferedEntry, StreamedEntry } from './stored-entry.js';
