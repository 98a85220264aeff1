/**
 * The driver contract: everything that a storage driver may import.
 * @module
 */
export * from './cache-error.js';
export * from './check-round-trip.js';
export * from './clock.js';
export * from './config-table.js';
export * from './contract.js';
export * from './define-cache-driver.js';
export * from './entry-metadata.js';
export * from './entry-name.js';
export * from './integrity.js';
export * from './metadata-codec.js';
export * from './stored-entry.js';
