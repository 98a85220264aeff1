import { CacheError } from './cache-error.js';
import type { OperationOptions, StoredEntry } from './contract.js';
import type { EntryMetadata } from './entry-metadata.js';

/**
 * The body of a {@link StreamedEntry}, implemented by a driver. `bytes` or `chunks` is called, then `close`, each at most
 * once. The signal is aborted when the caller aborts or discards the entry: a pending read must then end promptly.
 */
export interface BodySource {
  /** Reads the whole body. */
  bytes(signal: AbortSignal): Promise<Uint8Array>;
  /** Reads the body chunk by chunk. */
  chunks(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Releases the file or socket, whether or not anything was read. */
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
 * An entry whose body is read from a {@link BodySource}. It ensures that the body is consumed once and that the source
 * is always closed, but never during a read: discarding the entry aborts the read first.
 */
export class StreamedEntry implements StoredEntry {
  readonly metadata: EntryMetadata;
  readonly #source: BodySource;
  readonly #discarded = new AbortController();
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
    const ended = [signal, this.#discarded.signal].find((either) => either?.aborted);
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
    this.#discarded.abort();
    await this.#reading?.then(undefined, () => undefined);
    await this.#close();
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#discarded.signal : AbortSignal.any([signal, this.#discarded.signal]);
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
 * An entry whose body is already in this process's memory: for stores in the process, and for small bodies that `get`
 * reads together with their metadata. Use {@link StreamedEntry} for large bodies: otherwise every hit holds a whole body
 * in memory, and a body that hangs delays the look-up.
 */
export class BufferedEntry implements StoredEntry {
  readonly metadata: EntryMetadata;
  readonly verified: boolean;
  readonly #body: Uint8Array;
  #consumed = false;
  #discarded = false;

  /**
   * @param body returned without a copy: nothing may change it later
   * @param verified whether the driver has compared these bytes with size and CRC-32, such as at `put`. If true, core
   *   serves them unchecked. Use false for bytes from a disk or a network, which core then checks.
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
    this.#discarded = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  async *#chunks(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const chunkSize = 64 * 1024;
    for (let offset = 0; ; offset += chunkSize) {
      if (signal?.aborted || this.#discarded) throw aborted(signal);
      if (offset >= this.#body.length) return;
      yield this.#body.subarray(offset, offset + chunkSize);
    }
  }
}
