import { CacheError } from './cache-error.js';
import type { OperationOptions, StoredEntry } from './contract.js';
import type { EntryMetadata } from './entry-metadata.js';

/**
 * Where a driver reads a body from: by `bytes` or by `chunks`, then `close`, each at most once. The signal says
 * that the caller aborted or that the entry was given up: a read that waits must then end soon.
 */
export interface BodySource {
  /** Reads the whole body. */
  bytes(signal: AbortSignal): Promise<Uint8Array>;
  /** Reads the body chunk by chunk. */
  chunks(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Releases the file or socket, whether or not something was read. */
  close(): Promise<void>;
}

function consumedTwice(): CacheError {
  return new CacheError(
    'ERR_CACHE_DRIVER_CONTRACT',
    'the body of this entry was already consumed: get the entry again to read it a second time',
    { operation: 'get' },
  );
}

function aborted(signal: AbortSignal | undefined): CacheError {
  return new CacheError(
    'ERR_CACHE_ABORTED',
    'reading the entry was aborted, or the entry given up, by the caller',
    {
      operation: 'get',
      cause: signal?.reason,
    },
  );
}

/**
 * An entry whose body is read from a {@link BodySource}. It keeps the contract's "once" and always releases the
 * source, but never while it is being read: giving the entry up aborts the read first.
 */
export class StreamedEntry implements StoredEntry {
  readonly metadata: EntryMetadata;
  readonly #source: BodySource;
  readonly #givenUp = new AbortController();
  #consumed = false;
  #reading: Promise<unknown> | undefined;
  #closed: Promise<void> | undefined;

  constructor(metadata: EntryMetadata, source: BodySource) {
    this.metadata = metadata;
    this.#source = source;
  }

  async bytes({ signal }: OperationOptions = {}): Promise<Uint8Array> {
    this.#consume();
    try {
      return await this.#read(signal, () => this.#source.bytes(this.#either(signal)));
    } finally {
      await this.#close();
    }
  }

  stream({ signal }: OperationOptions = {}): AsyncIterable<Uint8Array> {
    this.#consume();
    const chunks = this.#source.chunks(this.#either(signal))[Symbol.asyncIterator]();
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      try {
        const step = await this.#read(signal, () => chunks.next());
        if (step.done === true) await this.#close();
        return step;
      } catch (error) {
        await this.#close();
        throw error;
      }
    };
    const end = async (): Promise<IteratorResult<Uint8Array>> => {
      await this.#giveUp();
      await chunks.return?.();
      return { done: true, value: undefined };
    };
    return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
  }

  discard(): Promise<void> {
    this.#consumed = true;
    return this.#giveUp();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  async #read<T>(signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T> {
    const ended = [signal, this.#givenUp.signal].find((either) => either?.aborted);
    if (ended !== undefined) throw aborted(ended);
    const reading = read();
    this.#reading = reading;
    try {
      return await reading;
    } catch (error) {
      throw signal?.aborted ? aborted(signal) : error;
    }
  }

  async #giveUp(): Promise<void> {
    this.#givenUp.abort();
    await this.#reading?.then(undefined, () => undefined);
    await this.#close();
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#givenUp.signal : AbortSignal.any([signal, this.#givenUp.signal]);
  }

  #consume(): void {
    if (this.#consumed) throw consumedTwice();
    this.#consumed = true;
  }

  #close(): Promise<void> {
    this.#closed ??= this.#source.close();
    return this.#closed;
  }
}

/**
 * An entry whose body is in the memory of this process already: for stores in the process, and for small bodies that
 * `get` reads together with their metadata. A driver that would first have to fetch a large body for it uses
 * {@link StreamedEntry}: otherwise each hit holds the whole body in memory, and a body that hangs holds up the look-up.
 */
export class BufferedEntry implements StoredEntry {
  readonly metadata: EntryMetadata;
  readonly verified: boolean;
  readonly #body: Uint8Array;
  #consumed = false;
  #givenUp = false;

  /**
   * @param body is handed out as it is, and never copied: nothing may change it later.
   * @param verified whether the driver has compared these very bytes with size and CRC-32, such as at `put` before it
   *   kept them. With true core serves them unchecked; bytes that came from a disk or a network get false, and core
   *   checks them.
   */
  constructor(metadata: EntryMetadata, body: Uint8Array, verified: boolean) {
    this.metadata = metadata;
    this.verified = verified;
    this.#body = body;
  }

  bytes(options?: OperationOptions): Promise<Uint8Array> {
    if (this.#consumed) return Promise.reject(consumedTwice());
    this.#consumed = true;
    if (options?.signal?.aborted) return Promise.reject(aborted(options.signal));
    return Promise.resolve(this.#body);
  }

  stream(options?: OperationOptions): AsyncIterable<Uint8Array> {
    if (this.#consumed) throw consumedTwice();
    this.#consumed = true;
    return this.#chunks(options?.signal);
  }

  discard(): Promise<void> {
    this.#consumed = true;
    this.#givenUp = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  async *#chunks(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const chunkSize = 64 * 1024;
    for (let offset = 0; ; offset += chunkSize) {
      if (signal?.aborted || this.#givenUp) throw aborted(signal);
      if (offset >= this.#body.length) return;
      yield this.#body.subarray(offset, offset + chunkSize);
    }
  }
}
