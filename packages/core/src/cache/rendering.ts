import { type EntryMetadata, type ImageDimensions, isImageContentType } from '../driver/index.js';

/** What a renderer makes of a request. */
export interface Rendering {
  /** The image: bytes, or a stream that is read once. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Its media type. Only `image/*` is stored. */
  readonly contentType: string;
  /**
   * False for what only this request may have, or what nobody should have twice: an error page, a fallback
   * image, a private answer. It is neither stored nor shared with other callers. Default: true.
   */
  readonly store?: boolean;
  /** The source's ETag, to be kept with the image. */
  readonly etag?: string | null | undefined;
  /** The source's Last-Modified. */
  readonly lastModified?: string | null | undefined;
  /** The source's Cache-Control. */
  readonly cacheControl?: string | null | undefined;
  /** Sizes of the source and the result. */
  readonly dimensions?: ImageDimensions | undefined;
}

/** Renders an image. The signal is aborted once nobody waits for the result any more. */
export type Render = (context: { readonly signal: AbortSignal }) => Rendering | Promise<Rendering>;

/** What is known of an image apart from its bytes, whether it was stored or rendered. */
export type ImageDescription = Pick<EntryMetadata, 'contentType'> &
  Partial<Pick<EntryMetadata, 'etag' | 'lastModified' | 'cacheControl' | 'dimensions' | 'created'>>;

// What the metadata codec would refuse in a text of the source's: the image is more than its validators.
const MAX_VALIDATOR_LENGTH = 200;
const VALIDATOR = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** The parts of a rendering that are kept. A validator of the source's that no store could keep is left out. */
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

/** Whether a rendering may be stored and shared. */
export function isStorable(rendering: Rendering): boolean {
  return rendering.store !== false && isImageContentType(mediaType(rendering.contentType));
}

function mediaType(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

// The Fetch API's headers give null for one that is absent.
function isValidator(value: string | null | undefined): value is string {
  return typeof value === 'string' && value.length <= MAX_VALIDATOR_LENGTH && VALIDATOR.test(value);
}
