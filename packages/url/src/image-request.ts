import type { OptionPair } from './options/option-reading.js';
import { valueType } from './value-type.js';

/** The source of an image: bytes, and the text that they are where they are valid UTF-8. */
export interface ImageSource {
  readonly bytes: Uint8Array;
  readonly text: string | undefined;
  /** Whether this is encrypted text, since there is no key: it identifies the source and leads nowhere. */
  readonly isEncrypted: boolean;
}

/** What the URLs of pictures and of information have in common. */
export interface UrlRequest {
  /** The signature as it stood in the URL. It is no part of the image's identity and belongs in no log. */
  readonly signature: string;
  /** What the signature is made of: the path after it, with its leading slash and with proxies' changes undone. */
  readonly signedPath: string;
  /** The URL of the source after replacements and base URL. */
  readonly source: ImageSource;
  /**
   * Effective options with canonical values, sorted by name. Where `opaque` has anything: all options in the order of the
   * URL, as they are written, and the beginnings of presets and pipelines as pairs whose names start with a slash.
   */
  readonly options: readonly OptionPair[];
  /** Names of the presets that were used, in their order. */
  readonly usedPresets: readonly string[];
  /** Names of what was carried without being understood. Empty unless `unknownOptions` is `carry`. */
  readonly opaque: readonly string[];
  /** Unix time in seconds after which the URL is refused; 0 and less mean never. */
  readonly expires?: number;
}

/** What the URL of information about an image asks for, after its signature was found right. Never to be cached. */
export interface InfoRequest extends UrlRequest {}

/** What the URL of a picture asks for, after its signature was found right. */
export interface ImageRequest extends UrlRequest {
  /** The options of each pipeline; the first ones are `options`. More than one only with imgproxy Pro's `-`. */
  readonly pipelines: readonly (readonly OptionPair[])[];
  /** The format asked for, such as `jpeg`. Absent: the renderer chooses. */
  readonly format?: string;
  /** Whether the source itself is asked for, unchanged: that is streamed, and never cached. */
  readonly raw: boolean;
  /** The name that a browser stores the picture under, without an extension. */
  readonly filename?: string;
  /** Whether a browser stores the picture instead of showing it. Absent: as the server is configured. */
  readonly returnAttachment?: boolean;
  /** Tags by which the picture is purged. */
  readonly cacheTags?: readonly string[];
}

/** What identifies an image for the cache: the part of a request that `@imgproxy-cache/core` takes. */
export interface ImageCacheRequest {
  readonly source: string | Uint8Array;
  readonly options: readonly OptionPair[] | { readonly pipelines: readonly (readonly OptionPair[])[] };
  readonly format?: string;
  readonly tags?: readonly string[];
  /** True for `raw`, which is not cached. */
  readonly bypass?: true;
}

/** No part of what an image is: the format stands beside the options, and the others change no byte. */
const OUTSIDE_THE_KEY = new Set(['expires', 'format', 'bypass_cache']);

/**
 * The image's identity: without the signature and `expires`, as imgproxy's cache has it since 4.0.2, and with
 * the format beside the options. Values equal to a default stay, since the renderer's defaults are not known here.
 *
 * @throws TypeError for what is no request that `UrlParser.parse` gave.
 */
export function toCacheRequest(request: ImageRequest): ImageCacheRequest {
  const { source, pipelines, format, opaque, raw, cacheTags } = request ?? {};
  if (source?.bytes === undefined || !Array.isArray(pipelines) || !Array.isArray(opaque))
    throw new TypeError(`toCacheRequest takes what UrlParser.parse gives, not ${valueType(request)}`);
  const isOrdered = opaque.length > 0;
  const kept = pipelines.map((options: readonly OptionPair[]) =>
    // Among options in their order the format's place counts.
    options.filter(([name]) => (isOrdered ? name !== 'expires' : !OUTSIDE_THE_KEY.has(name))),
  );
  // The encrypted text of one source may be the name of another. No option has a slash in its name.
  if (source.isEncrypted) kept[0]?.unshift(['/encrypted', '']);
  const [first = []] = kept;
  return {
    source: source.text ?? source.bytes,
    options: kept.length > 1 ? { pipelines: kept } : first,
    ...(format !== undefined && { format }),
    ...(cacheTags !== undefined && { tags: cacheTags }),
    ...(raw && { bypass: true as const }),
  };
}
