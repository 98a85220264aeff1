import { type BodySource, CacheError, type EntryMetadata } from '@imgproxy-cache/core/driver';
import { type HttpBody, TransportError } from '@imgproxy-cache/http-transport';
import { KnownFailure } from './failures.js';

/** A body ended before it was complete. */
export class BodyEndedError extends KnownFailure {
  override readonly name = 'BodyEndedError';

  /** @param code of the connection's failure, if it had one. */
  constructor(received: number, size: number, code?: string) {
    super(`its body ended after ${received} of ${size} bytes${code === undefined ? '' : ` (${code})`}`);
  }
}

/** How a failure in the middle of a body is told. */
export type BodyFailure = (thrown: unknown) => CacheError;

/** The body of an object, on its way. */
export class StoredObject implements BodySource {
  readonly #metadata: EntryMetadata;
  readonly #body: HttpBody;
  readonly #failure: BodyFailure;
  #received = 0;

  constructor(metadata: EntryMetadata, body: HttpBody, failure: BodyFailure) {
    this.#metadata = metadata;
    this.#body = body;
    this.#failure = failure;
  }

  async bytes(signal: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    const release = this.#breakOffWith(signal);
    try {
      for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next())
        chunks.push(chunk);
    } finally {
      release();
    }
    // It came off the wire by itself, so nobody else has it.
    const [only] = chunks;
    if (only !== undefined && chunks.length === 1) return only;
    // Not before it is there, since the size is what a stranger may have written; and not from Node's pool, which
    // a small body would keep alive as a whole.
    const whole = Buffer.allocUnsafeSlow(this.#received);
    let offset = 0;
    for (const chunk of chunks) {
      whole.set(chunk, offset);
      offset += chunk.length;
    }
    return whole;
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const release = this.#breakOffWith(signal);
    try {
      for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
    } finally {
      release();
    }
  }

  close(): Promise<void> {
    this.#body.close();
    return Promise.resolve();
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { name, size } = this.#metadata;
    try {
      const chunk = await this.#body.next();
      this.#received += chunk?.length ?? 0;
      if (this.#received > size) throw corrupt(name, `its body has more than ${size} bytes`);
      // Without a declared length an early end looks like any other.
      if (chunk === undefined && this.#received < size) {
        throw new BodyEndedError(this.#received, size);
      }
      return chunk;
    } catch (error) {
      const brokeOff = error instanceof TransportError && error.failure === 'broken';
      throw this.#failure(brokeOff ? new BodyEndedError(this.#received, size, error.code) : error);
    }
  }

  #breakOffWith(signal: AbortSignal): () => void {
    const breakOff = (): void => this.#body.close();
    if (signal.aborted) breakOff();
    signal.addEventListener('abort', breakOff, { once: true });
    return () => signal.removeEventListener('abort', breakOff);
  }
}

/** What is stored under a name is not what was put there. */
export function corrupt(name: string, problem: string): CacheError {
  return new CacheError('ERR_CACHE_CORRUPT', `entry ${name} is corrupt: ${problem}`, {
    driver: 's3',
    operation: 'get',
  });
}
