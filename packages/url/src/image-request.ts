import type { OptionPair } from './options/effective-options.js';
import { valueType } from './value-type.js';

/** The source of an image: bytes, and the text that they are where they are valid UTF-8. */
export interface ImageSource {
  readonly bytes: Uint8Array;
  readonly text: string | undefined;
}

/** What a URL asks for, after its signature was found right. */
export interface ImageRequest {
  /** The signature as it stood in the URL. It is no part of the image's identity and belongs in no log. */
  readonly signature: string;
  /** What the signature is made of: the path after it, with its leading slash and with proxies' changes undone. */
  readonly signedPath: string;
  /** The URL of the source after replacements and base URL. */
  readonly source: ImageSource;
  /** Effective options with canonical values, sorted by name; `format` and `expires` among them. */
  readonly options: readonly OptionPair[];
  /** The format asked for, such as `jpeg`. Absent: the renderer chooses. */
  readonly format?: string;
  /** Unix time in seconds after which the URL is refused; 0 and less mean never. */
  readonly expires?: number;
}

/** What identifies an image for the cache: the part of a request that `@imgproxy-cache/core` takes. */
export interface ImageCacheRequest {
  readonly source: string | Uint8Array;
  readonly options: readonly OptionPair[];
  readonly format?: string;
}

/**
 * The image's identity: without the signature and `expires`, as imgproxy's cache has it since 4.0.2, and with
 * the format beside the options. Values equal to a default stay, since the renderer's defaults are not known here.
 *
 * @throws TypeError for what is no request that `UrlParser.parse` gave.
 */
export function toCacheRequest(request: ImageRequest): ImageCacheRequest {
  const { source, options, format } = request ?? {};
  if (source?.bytes === undefined || !Array.isArray(options))
    throw new TypeError(`toCacheRequest takes what UrlParser.parse gives, not ${valueType(request)}`);
  return {
    source: source.text ?? source.bytes,
    options: options.filter(([name]) => name !== 'expires' && name !== 'format'),
    ...(format !== undefined && { format }),
  };
}
