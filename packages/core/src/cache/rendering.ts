import type { EntryMetadata, ImageDimensions } from '../driver/index.js';
import { isImageContentType } from '../driver/metadata-codec.js';

/** The result of rendering a request. */
export interface Rendering {
  /** The image: bytes, or a stream that is read once. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Its media type. Only `image/*` is stored. */
  readonly contentType: string;
  /**
   * False for an image that only this request may get: an error page, a fallback image, a private answer. It is neither
   * stored nor shared with other requests. Default: true.
   */
  readonly store?: boolean;
  /** The source's ETag, stored with the image. */
  readonly etag?: string | null | undefined;
  /** The source's Last-Modified. */
  readonly lastModified?: string | null | undefined;
  /** The source's Cache-Control. */
  readonly cacheControl?: string | null | undefined;
  /** Sizes of the source and the result. */
  readonly dimensions?: ImageDimensions | undefined;
}

/** Renders an image. The signal is aborted when no request waits for the result any more. */
export type Render = (context: { readonly signal: AbortSignal }) => Rendering | Promise<Rendering>;

/** The properties of an image besides its bytes, whether it was stored or rendered. */
export type ImageDescription = Pick<EntryMetadata, 'contentType'> &
  Partial<
    Pick<
      EntryMetadata,
      'etag' | 'lastModified' | 'cacheControl' | 'dimensions' | 'created' | 'expires' | 'crc32'
    >
  >;

// Values that the metadata codec would reject are left out: an image is worth storing without its validators.
const MAX_VALIDATOR_LENGTH = 200;
const VALIDATOR = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** The properties of a rendering to store, without values that the metadata cannot hold. */
export function describeRendering(rendering: Rendering): ImageDescription {
  const { etag, lastModified, cacheControl, dimensions } = rendering;
  return {
    contentType: mediaType(rendering.contentType),
    ...(isValidator(etag) && { etag }),
    ...(isValidator(lastModified) && { lastModified }),
    ...(isValidator(cacheControl) && { cacheControl }),
    ...(dimensions !== undefined && { dimensions }),
  };
}

/** The error of a renderer that gave something else than a rendering, with the code that Node.js has for such results. */
export function wrongRendering(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_RETURN_VALUE' });
}

/** Whether a rendering may be stored and shared. */
export function isStorable(rendering: Rendering): boolean {
  return rendering.store !== false && isImageContentType(mediaType(rendering.contentType));
}

function mediaType(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

// The Fetch API's Headers returns null for an absent header.
function isValidator(value: string | null | undefined): value is string {
  return typeof value === 'string' && value.length <= MAX_VALIDATOR_LENGTH && VALIDATOR.test(value);
}
