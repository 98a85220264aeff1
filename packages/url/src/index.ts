export { CLIENT_HINT_HEADERS, type RequestHeaders } from './client-hints.js';
export { parseHexList } from './hex-list.js';
export {
  type ImageCacheRequest,
  type ImageRequest,
  type ImageSource,
  type InfoRequest,
  toCacheRequest,
  type UrlRequest,
} from './image-request.js';
export { MalformedValueError } from './malformed-value-error.js';
export type { OptionPair } from './options/option-reading.js';
export type { InfoOptions, ProcessingOptions } from './options/option-tables.js';
export type { ImageFormat } from './options/option-value.js';
export { signPath } from './signature.js';
export type { SourceEncoding } from './source/written-source.js';
export { type ImageUrl, type InfoUrl, UrlBuildError, UrlBuilder } from './url-builder.js';
export {
  type UrlConfig,
  UrlConfigError,
  type UrlConfigFault,
  type UrlReplacement,
  type UrlSettings,
} from './url-config.js';
export { UrlError, type UrlErrorCode } from './url-error.js';
export { type SignedPath, UrlParser } from './url-parser.js';
