/** The version of the metadata format that this software writes. */
export const FORMAT_VERSION = 1;

/**
 * Everything that is kept of an image besides its bytes. It is an allow-list:
 * nothing else of a response, least of all `Set-Cookie`, is ever stored.
 */
export interface EntryMetadata {
  /** The complete name under which the entry was put: one that was copied elsewhere is not served. */
  readonly name: string;
  /** An image media type, such as `image/webp`, lower case and without parameters. */
  readonly contentType: string;
  /** Length of the body in bytes. */
  readonly size: number;
  /** CRC-32 of the body (the polynomial of zlib and PNG), 0 to 2^32 - 1. */
  readonly crc32: number;
  /** When the entry was made, in milliseconds since the Unix epoch. */
  readonly created: number;
  /** When it stops being a hit, in milliseconds since the Unix epoch. Absent: never. */
  readonly expires?: number;
  /** The source's ETag, as it was sent. */
  readonly etag?: string;
  /** The source's Last-Modified, as it was sent. */
  readonly lastModified?: string;
  /** The source's Cache-Control, as it was sent. */
  readonly cacheControl?: string;
  /** Labels for purging, in the order given. */
  readonly tags?: readonly string[];
  /** What imgproxy shows in its debug headers. */
  readonly dimensions?: ImageDimensions;
}

/** Sizes of the source and of the result, in pixels and bytes. */
export interface ImageDimensions {
  readonly originWidth?: number;
  readonly originHeight?: number;
  readonly originBytes?: number;
  readonly resultWidth?: number;
  readonly resultHeight?: number;
}
