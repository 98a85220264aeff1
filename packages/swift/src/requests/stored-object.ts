import type { BodySource, CacheError, EntryMetadata } from '@imgproxy-cache/core/driver';
import { type HttpBody, TransportError } from '@imgproxy-cache/http-transport';
import { corrupt } from '../swift-errors.js';
import { BodyEndedError } from './failures.js';

/** The body of an object, on its way. */
export class StoredObject implements BodySource {
  readonly #metadata: EntryMetadata;
  readonly #body: HttpBody;
  readonly #failure: (thrown: unknown) => CacheError;
  #received = 0;

  /** @param failure makes the error of a failure in the middle of the body */
  constructor(metadata: EntryMetadata, body: HttpBody, failure: (thrown: unknown) => CacheError) {
    this.#metadata = metadata;
    this.#body = body;
    this.#failure = failure;
  }

  async bytes(signal: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.chunks(signal)) chunks.push(chunk);
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
    const breakOff = (): void => this.#body.close();
    if (signal.aborted) breakOff();
    signal.addEventListener('abort', breakOff, { once: true });
    try {
      for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
    } finally {
      signal.removeEventListener('abort', breakOff);
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
      if (chunk === undefined && this.#received < size) throw new BodyEndedError(this.#received, size);
      return chunk;
    } catch (error) {
      const brokeOff = error instanceof TransportError && error.failure === 'broken';
      throw this.#failure(brokeOff ? new BodyEndedError(this.#received, size, error.code) : error);
    }
  }
}
