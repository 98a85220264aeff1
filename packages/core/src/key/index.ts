export * from './cache-key-builder.js';
export * from './cache-request.js';
export { EntryNames, prefixFault } from './entry-names.js';
export type { NegotiationSettings } from './negotiate.js';
export type { RequestCookies } from './request-cookies.js';
export type { HeaderValue, RequestHeaders } from './request-headers.js';
