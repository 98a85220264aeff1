import { Readable } from 'node:stream';
import { CacheError } from '../driver/index.js';
import { checkedChunk } from './collected-body.js';
import type { ImageDescription } from './rendering.js';

interface ImageBody {
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** In bytes, if it is known. */
  readonly size?: number;
  /** Called once, when a streamed body has ended or was discarded. */
  readonly release?: () => void;
  /** False: for one request alone. */
  readonly store?: boolean | undefined;
}

/**
 * An image to serve. Its body is consumed once, as bytes or as a stream. Discard an image that is not served, or use
 * `await using`: it may hold a file or a socket.
 */
export class CachedImage implements AsyncDisposable {
  readonly contentType: string;
  /** The source's ETag. All variants of a source have the same one, so it is no validator of this image. */
  readonly etag: string | undefined;
  /** The source's Last-Modified. */
  readonly lastModified: string | undefined;
  /** The source's Cache-Control. */
  readonly cacheControl: string | undefined;
  /** Sizes of source and result, if the renderer gave them. */
  readonly dimensions: ImageDescription['dimensions'];
  /** When it was stored, in milliseconds since the Unix epoch. Absent for an image that was just rendered. */
  readonly created: number | undefined;
  /** When its entry expires, in milliseconds since the Unix epoch. Absent for an image that was just rendered, or never. */
  readonly expires: number | undefined;
  /** CRC-32 of the body, if it was stored with the image. */
  readonly crc32: number | undefined;
  /** False: the rendering had `store: false`, so this image is for this request alone. */
  readonly store: boolean;
  /** Length in bytes, if it is known before the body is read. */
  readonly size: number | undefined;
  readonly #body: Uint8Array | AsyncIterable<Uint8Array>;
  readonly #release: (() => void) | undefined;
  #consumed = false;

  /** @internal Images are made by `ImageCache`. */
  constructor(description: ImageDescription, { body, size, release, store = true }: ImageBody) {
    this.contentType = description.contentType;
    this.etag = description.etag;
    this.lastModified = description.lastModified;
    this.cacheControl = description.cacheControl;
    this.dimensions = description.dimensions;
    this.created = description.created;
    this.expires = description.expires;
    this.crc32 = description.crc32;
    this.store = store;
    this.size = size;
    this.#body = body;
    this.#release = release;
  }

  /**
   * The body for an HTTP response: bytes if the whole image is in memory, otherwise a stream. The bytes may be shared with
   * other requests and must not be changed.
   */
  body(): Uint8Array | Readable {
    return this.#body instanceof Uint8Array ? this.#consume(this.#body) : this.stream();
  }

  /** The whole image. The bytes may be shared with other requests and must not be changed. */
  async bytes(): Promise<Uint8Array> {
    const body = this.body();
    if (body instanceof Uint8Array) return body;
    return Buffer.concat(await body.toArray());
  }

  /** The image as a stream. An incomplete one ends with an error, never cleanly. */
  stream(): Readable {
    const body = this.#consume(this.#body);
    return body instanceof Uint8Array
      ? Readable.from([body], { objectMode: false })
      : readableOf(body, this.#release);
  }

  /** Releases the image without serving it. Idempotent; has no effect after the body was consumed. */
  async discard(): Promise<void> {
    if (this.#consumed) return;
    this.#consumed = true;
    this.#release?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  #consume<T>(body: T): T {
    if (this.#consumed) {
      throw new CacheError(
        'ERR_CACHE_UNSUPPORTED',
        'this image was already consumed: fetch it again to serve it twice',
        { operation: 'fetch' },
      );
    }
    this.#consumed = true;
    return body;
  }
}

/** An image whose bytes are in memory. */
export function wholeImage(description: ImageDescription, body: Uint8Array, store?: boolean): CachedImage {
  return new CachedImage(description, { body, size: body.length, store });
}

// Unlike the stream of Readable.from, it releases everything at once when destroyed, even before its first read or while a
// read hangs.
function readableOf(body: AsyncIterable<Uint8Array>, release: (() => void) | undefined): Readable {
  const iterator = body[Symbol.asyncIterator]();
  return new Readable({
    async read() {
      try {
        const step = await iterator.next();
        if (!this.destroyed) this.push(step.done === true ? null : checkedChunk(step.value));
      } catch (error) {
        this.destroy(error as Error);
      }
    },
    destroy(error, callback) {
      release?.();
      iterator.return?.().then(undefined, () => undefined);
      callback(error);
    },
  });
}
