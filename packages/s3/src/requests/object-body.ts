import { type BodySource, CacheError, type EntryMetadata } from '@imgproxy-cache/core/driver';
import { type HttpBody, TransportError } from '@imgproxy-cache/http-transport';
import { BodyEndedError } from './failures.js';

/** What an {@link ObjectBody} reads. */
export interface ObjectBodyParts {
  readonly metadata: EntryMetadata;
  readonly body: HttpBody;
  toCacheError(thrown: unknown): CacheError;
}

/** The body of an object as it arrives. One that ends early is a failure of the transfer, not a corrupt entry. */
export class ObjectBody implements BodySource {
  readonly #parts: ObjectBodyParts;

  constructor(parts: ObjectBodyParts) {
    this.#parts = parts;
  }

  bytes(signal: AbortSignal): Promise<Uint8Array> {
    const { metadata, body } = this.#parts;
    this.#closeWith(signal);
    return this.#read(async () => {
      const { bytes, whole } = await body.read({ maxBytes: metadata.size });
      if (!whole) throw corrupt(metadata.name, `its body has more than ${metadata.size} bytes`);
      this.#assertComplete();
      return bytes;
    });
  }

  chunks(signal: AbortSignal): AsyncIterable<Uint8Array> {
    const { body } = this.#parts;
    this.#closeWith(signal);
    const next = (): Promise<IteratorResult<Uint8Array, undefined>> =>
      this.#read(async () => {
        const value = await body.next();
        if (value !== undefined) return { done: false, value };
        this.#assertComplete();
        return { done: true, value };
      });
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  close(): Promise<void> {
    this.#parts.body.close();
    return Promise.resolve();
  }

  async #read<Result>(read: () => Promise<Result>): Promise<Result> {
    const { metadata, body, toCacheError } = this.#parts;
    try {
      return await read();
    } catch (error) {
      const isBroken = error instanceof TransportError && error.failure === 'broken';
      throw toCacheError(isBroken ? new BodyEndedError(body.received, metadata.size, error.code) : error);
    }
  }

  // Without a declared length an early end looks like any other.
  #assertComplete(): void {
    const { metadata, body } = this.#parts;
    if (body.received < metadata.size) throw new BodyEndedError(body.received, metadata.size);
  }

  #closeWith(signal: AbortSignal): void {
    const { body } = this.#parts;
    const close = (): void => body.close();
    if (signal.aborted) close();
    signal.addEventListener('abort', close, { once: true });
    body.onDone(() => signal.removeEventListener('abort', close));
  }
}

/** What is stored under a name differs from what was put. */
export function corrupt(name: string, problem: string): CacheError {
  return new CacheError('ERR_CACHE_CORRUPT', `entry ${name} is corrupt: ${problem}`, {
    driver: 's3',
    operation: 'get',
  });
}
