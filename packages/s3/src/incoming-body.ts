import type { Readable } from 'node:stream';
import type { Clock } from '@imgproxy-cache/core/driver';
import { StoreTimeoutError } from './store-timeout.js';

/** How long one body may keep us waiting altogether, in milliseconds, however many bytes trickle in between. */
const LONGEST_WAIT = 120_000;

/**
 * The body of an answer, pulled chunk by chunk. Its deadlines run only while we wait for the store: whoever takes
 * the chunks slowly is not cut off.
 */
export class IncomingBody {
  readonly #stream: Readable;
  readonly #clock: Clock;
  readonly #idleTimeout: number;
  #waited = 0;
  #timeout: StoreTimeoutError | undefined;

  constructor(stream: Readable, clock: Clock, idleTimeout: number) {
    this.#stream = stream;
    this.#clock = clock;
    this.#idleTimeout = idleTimeout;
    // A connection can break at any moment, also while nobody reads.
    stream.on('error', () => {});
  }

  /** The next chunk; `undefined` at the end. Not to be called again before it has answered. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const failure = this.#timeout ?? this.#stream.errored;
      if (failure) throw failure;
      const chunk: unknown = this.#stream.read();
      if (chunk instanceof Uint8Array) return chunk;
      if (this.#stream.readableEnded) return undefined;
      if (this.#stream.destroyed) throw new Error('the body was given up while it was read');
      await this.#change();
    }
  }

  /** Gives back the connection of a body that was read to its end, and breaks that of any other. */
  close(): Promise<void> {
    this.#stream.destroy();
    return Promise.resolve();
  }

  /** Calls back once, when the connection is given back or broken. */
  onClose(callback: () => void): void {
    if (this.#stream.closed) callback();
    else this.#stream.once('close', callback);
  }

  /** Waits until there is something to read, or never will be. */
  #change(): Promise<void> {
    const stream = this.#stream;
    const started = this.#clock.monotonic();
    const timeout = Math.min(this.#idleTimeout, Math.max(0, LONGEST_WAIT - this.#waited));
    return new Promise((resolve) => {
      const events = ['readable', 'end', 'error', 'close'] as const;
      const done = (): void => {
        for (const event of events) stream.off(event, done);
        silence.cancel();
        this.#waited += this.#clock.monotonic() - started;
        resolve();
      };
      const silence = this.#clock.setTimer(() => {
        this.#timeout = new StoreTimeoutError('no more bytes', timeout);
        stream.destroy();
      }, timeout);
      for (const event of events) stream.on(event, done);
    });
  }
}
