import {
  type EntryMetadata,
  isCacheError,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import type { DriverWatch } from './driver-watch.js';

/** An entry whose body is watched while it is read. */
export class WatchedEntry implements StoredEntry {
  readonly metadata: EntryMetadata;
  readonly verified: boolean;
  readonly #entry: StoredEntry;
  readonly #watch: DriverWatch;
  readonly #lookup: AbortSignal | undefined;
  #discarded = false;
  #streaming = false;

  constructor(entry: StoredEntry, watch: DriverWatch, lookup: AbortSignal | undefined) {
    this.metadata = entry.metadata;
    this.verified = entry.verified ?? false;
    this.#entry = entry;
    this.#watch = watch;
    this.#lookup = lookup;
  }

  async bytes(options: OperationOptions = {}): Promise<Uint8Array> {
    this.#watch.running += 1;
    try {
      return await this.#entry.bytes(options);
    } catch (error) {
      this.#fail(error, options.signal);
      throw error;
    } finally {
      this.#watch.running -= 1;
    }
  }

  async *stream(options: OperationOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    this.#watch.running += 1;
    this.#streaming = true;
    try {
      yield* this.#entry.stream(options);
    } catch (error) {
      if (isCacheError(error) && error.code !== 'ERR_CACHE_CORRUPT' && error.code !== 'ERR_CACHE_ABORTED') {
        this.#watch.calls.add('stream', error.code);
      }
      this.#fail(error, options.signal);
      throw error;
    } finally {
      this.#endStream();
    }
  }

  async discard(): Promise<void> {
    this.#discarded = true;
    await this.#entry.discard();
    // A stream that is left between two chunks never gets to its own end.
    this.#endStream();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  #endStream(): void {
    if (this.#streaming) this.#watch.running -= 1;
    this.#streaming = false;
  }

  #fail(error: unknown, signal: AbortSignal | undefined): void {
    const abandoned = this.#discarded || signal?.aborted === true || this.#lookup?.aborted === true;
    this.#watch.noteFailure(error, { operation: 'get', abandoned });
  }
}
