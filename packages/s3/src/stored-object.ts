import { type BodySource, CacheError, type EntryMetadata } from '@imgproxy-cache/core/driver';
import type { HttpBody } from '@imgproxy-cache/http-transport';

/** How a failure in the middle of a body is told. */
export type BodyFailure = (thrown: unknown) => CacheError;

/** The body of an object, on its way. */
export class StoredObject implements BodySource {
  readonly #metadata: EntryMetadata;
  readonly #body: HttpBody;
  readonly #failure: BodyFailure;

  constructor(metadata: EntryMetadata, body: HttpBody, failure: BodyFailure) {
    this.#metadata = metadata;
    this.#body = body;
    this.#failure = failure;
  }

  async bytes(signal: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.chunks(signal)) {
      chunks.push(chunk);
      size += chunk.length;
    }
    // It came off the wire by itself, so nobody else has it.
    const [only] = chunks;
    if (only !== undefined && chunks.length === 1) return only;
    // Not before it is there, since the size is what a stranger may have written; and not from Node's pool, which
    // a small body would keep alive as a whole.
    const whole = Buffer.allocUnsafeSlow(size);
    let offset = 0;
    for (const chunk of chunks) {
      whole.set(chunk, offset);
      offset += chunk.length;
    }
    return whole;
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const { name, size } = this.#metadata;
    const breakOff = (): void => this.#body.close();
    if (signal.aborted) breakOff();
    signal.addEventListener('abort', breakOff, { once: true });
    let received = 0;
    try {
      for (let chunk = await this.#body.next(); chunk !== undefined; chunk = await this.#body.next()) {
        received += chunk.length;
        if (received > size) throw corrupt(name, `its body has more than ${size} bytes`);
        yield chunk;
      }
      // Without a declared length an early end looks like any other.
      if (received < size) throw new Error(`the body ended after ${received} of ${size} bytes`);
    } catch (error) {
      throw this.#failure(error);
    } finally {
      signal.removeEventListener('abort', breakOff);
    }
  }

  close(): Promise<void> {
    this.#body.close();
    return Promise.resolve();
  }
}

/** What is stored under a name is not what was put there. */
export function corrupt(name: string, problem: string): CacheError {
  return new CacheError('ERR_CACHE_CORRUPT', `entry ${name} is corrupt: ${problem}`, {
    driver: 's3',
    operation: 'get',
  });
}
