/** The version of the metadata format that this version of core writes. */
export const FORMAT_VERSION = 1;

/**
 * Everything stored with an image besides its bytes. It is an allow-list: nothing else of a response is ever stored,
 * in particular no `Set-Cookie`.
 */
export interface EntryMetadata {
  /** The complete name under which the entry was put. A copy under another name is not served. */
  readonly name: string;
  /** An image media type, such as `image/webp`, lower case and without parameters. */
  readonly contentType: string;
  /** Length of the body in bytes. */
  readonly size: number;
  /** CRC-32 of the body (the polynomial of zlib and PNG), 0 to 2^32 - 1. */
  readonly crc32: number;
  /** When the entry was created, in milliseconds since the Unix epoch. */
  readonly created: number;
  /** When the entry expires, in milliseconds since the Unix epoch. Absent: never. */
  readonly expires?: number;
  /** The source's ETag, unchanged. */
  readonly etag?: string;
  /** The source's Last-Modified, unchanged. */
  readonly lastModified?: string;
  /** The source's Cache-Control, unchanged. */
  readonly cacheControl?: string;
  /** Labels for purging, in the order given. */
  readonly tags?: readonly string[];
  /** The values of imgproxy's debug headers. */
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
