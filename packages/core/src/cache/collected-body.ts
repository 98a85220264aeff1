import { Readable } from 'node:stream';
import { isUint8Array } from 'node:util/types';
import { abortedError } from '../driver/operation-guard.js';
import type { ByteBudget } from '../resilience/byte-budget.js';
import { wrongRendering } from './rendering.js';

/** How collecting a stream ended. */
export type Collected =
  | { readonly complete: true; readonly body: Uint8Array }
  | { readonly complete: false; readonly reason: 'too-large' | 'bytes-in-flight' };

/**
 * Collects a rendering's stream while one reader serves it. The source is read at its own pace, so that a slow client
 * delays neither the store nor waiting requests. Past a limit the collection ends, and the reader reads the rest from the
 * source at its own pace.
 */
export class CollectedBody {
  /** Settles with the first chunk or with {@link collected}. */
  readonly begun: Promise<unknown>;
  /** Resolves when the whole body is collected or a limit is passed; rejects when the source fails. */
  readonly collected: Promise<Collected>;
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #maxBytes: number;
  readonly #budget: ByteBudget;
  readonly #readers: ByteBudget;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #held = 0;
  #heldForReader = 0;
  #ended = false;
  #overflowed = false;
  #stopped = false;
  #readerLeft = false;
  readonly #firstChunk = Promise.withResolvers<void>();
  #progress = Promise.withResolvers<void>();

  /**
   * @param maxBytes the largest body that is collected
   * @param budget collected bytes are acquired from it, until {@link release}
   * @param readers collected bytes are acquired from it as well, until the reader has left: a slow client keeps them in
   *   memory after they are stored
   */
  constructor(
    source: AsyncIterable<Uint8Array>,
    { maxBytes, budget, readers }: { maxBytes: number; budget: ByteBudget; readers: ByteBudget },
  ) {
    this.#source = source;
    this.#iterator = source[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
    this.#budget = budget;
    this.#readers = readers;
    this.collected = this.#collect();
    this.begun = Promise.race([this.collected, this.#firstChunk.promise]);
    this.begun.catch(() => undefined);
    this.collected.catch(() => this.release());
  }

  /** Releases the acquired bytes, once they are stored or dropped. Idempotent. */
  release(): void {
    this.#budget.release(this.#held);
    this.#held = 0;
  }

  /** Closes the source and ends all reads from it. */
  stop(): void {
    this.#stopped = true;
    this.release();
    this.#releaseReader();
    closeSource(this.#source, this.#iterator);
  }

  /** Called when the reader has finished or was aborted. The collection continues. */
  leaveReader(): void {
    this.#readerLeft = true;
    this.#releaseReader();
    if (this.#overflowed) this.stop();
  }

  /** The body from the beginning, for one reader. The reader calls {@link leaveReader} when done. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    let read = 0;
    for (let index = 0; index < this.#chunks.length || !this.#ended; ) {
      const chunk = this.#chunks[index];
      if (chunk === undefined) {
        await this.#progress.promise;
      } else {
        index++;
        read += chunk.length;
        yield chunk;
      }
    }
    const outcome = await this.collected;
    if (outcome.complete) {
      if (read < outcome.body.length) yield outcome.body.subarray(read);
      return;
    }
    this.#chunks = [];
    this.release();
    this.#releaseReader();
    for (let step = await this.#iterator.next(); step.done !== true; step = await this.#iterator.next()) {
      yield checkedChunk(step.value);
    }
  }

  async #collect(): Promise<Collected> {
    try {
      for (;;) {
        const step = await this.#iterator.next();
        // After return() a generator ends as if it were complete.
        if (this.#stopped) throw abortedError('fetch', undefined);
        if (step.done === true) return { complete: true, body: this.#join() };
        const chunk = checkedChunk(step.value);
        this.#chunks.push(chunk);
        this.#size += chunk.length;
        if (this.#size > this.#maxBytes) return this.#overflow('too-large');
        if (!this.#acquire(chunk.length)) return this.#overflow('bytes-in-flight');
        this.#firstChunk.resolve();
        this.#advance();
      }
    } catch (error) {
      if (!this.#stopped) closeSource(this.#source, this.#iterator);
      throw error;
    } finally {
      this.#ended = true;
      this.#advance();
    }
  }

  #acquire(bytes: number): boolean {
    if (!this.#budget.tryAcquire(bytes)) return false;
    this.#held += bytes;
    if (this.#readerLeft) return true;
    if (!this.#readers.tryAcquire(bytes)) return false;
    this.#heldForReader += bytes;
    return true;
  }

  #releaseReader(): void {
    this.#readers.release(this.#heldForReader);
    this.#heldForReader = 0;
  }

  #overflow(reason: 'too-large' | 'bytes-in-flight'): Collected {
    this.#overflowed = true;
    if (this.#readerLeft) this.stop();
    return { complete: false, reason };
  }

  // The reader continues in the joined body, so the chunks need not be kept.
  #join(): Uint8Array {
    const [only, ...others] = this.#chunks;
    const body = only !== undefined && others.length === 0 ? only : Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [];
    return body;
  }

  #advance(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers<void>();
  }
}

/** Closes a stream that will not be read further, even if reading has not begun. */
export function closeSource(
  source: AsyncIterable<Uint8Array>,
  iterator: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator](),
): void {
  if (source instanceof Readable) source.destroy();
  // Not awaited: a generator that hangs settles return() late or never.
  else iterator.return?.().then(undefined, () => undefined);
}

/**
 * Checks a chunk of a rendering's stream.
 * @throws TypeError for anything but a `Uint8Array`
 */
export function checkedChunk(chunk: unknown): Uint8Array {
  if (isUint8Array(chunk)) return chunk;
  const kind = chunk === null || typeof chunk !== 'object' ? typeof chunk : chunk.constructor?.name;
  throw wrongRendering(
    `the stream that render gave yields ${kind === 'string' ? 'text' : kind}: each chunk must be a Uint8Array, such as a Buffer`,
  );
}
