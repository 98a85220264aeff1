export * from './cache-key-builder.js';
export * from './cache-request.js';
export { type Cookie, parseCookieHeader } from './cookie-header.js';
export { EntryNames, prefixFault } from './entry-names.js';
