import type { TransportClock } from './clock.js';
import { connectionError, type TransportError, timeoutError } from './transport-error.js';

/** How long one body may keep us waiting altogether, in milliseconds, however many bytes trickle in between. */
const LONGEST_WAIT = 120_000;

/** Bytes that are kept ready for a reader that is slower than the store; past that the store is held back. */
const READY_BYTES = 64 * 1024;

/** The other end of a body. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
  /** Breaks the connection off, where the body has not ended. */
  abort(): void;
}

/** What a body needs to know. */
export interface HttpBodyParts {
  readonly flow: BodyFlow;
  readonly clock: TransportClock;
  /** Longest silence of the store, in milliseconds. */
  readonly silenceTimeout: number;
  readonly host: string;
}

/**
 * The body of an answer, taken chunk by chunk. Its deadlines run only while its reader waits for the store: whoever
 * takes the chunks slowly is not cut off, and holds the store back. A body must be read to its end or closed; then,
 * and when it fails, its connection is given back or broken.
 */
export class HttpBody {
  readonly #parts: HttpBodyParts;
  readonly #chunks: Uint8Array[] = [];
  #ready = 0;
  #paused = false;
  #ended = false;
  #done = false;
  #failure: Error | undefined;
  #waited = 0;
  #wake: (() => void) | undefined;
  readonly #onDone: (() => void)[] = [];

  constructor(parts: HttpBodyParts) {
    this.#parts = parts;
  }

  /**
   * The next chunk; `undefined` at the end. Not to be called again before it has answered.
   * @throws TransportError where the store falls silent or the connection breaks, and after {@link close}.
   */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#ready -= chunk.length;
        if (this.#paused && this.#ready < READY_BYTES) {
          this.#paused = false;
          this.#parts.flow.resume();
        }
        return chunk;
      }
      if (this.#ended) {
        this.#finish();
        return undefined;
      }
      await this.#change();
    }
  }

  /** Gives the body up: breaks its connection off, unless it has ended. */
  close(): void {
    if (this.#done) return;
    this.fail(connectionError('closed', 'gave up the body from', { host: this.#parts.host }));
  }

  /** Calls back once, when the body has been read to its end, has failed or is closed. */
  onDone(callback: () => void): void {
    if (this.#done) callback();
    else this.#onDone.push(callback);
  }

  /** A chunk has come. */
  push(chunk: Uint8Array): void {
    if (this.#done) return;
    this.#chunks.push(chunk);
    this.#ready += chunk.length;
    if (this.#ready >= READY_BYTES && !this.#paused) {
      this.#paused = true;
      this.#parts.flow.pause();
    }
    this.#wake?.();
  }

  /** The store has sent all of it. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** There will be no more of it. */
  fail(error: Error): void {
    if (this.#done) return;
    this.#failure = error;
    this.#chunks.length = 0;
    this.#finish();
    if (!this.#ended) this.#parts.flow.abort();
    this.#wake?.();
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    for (const callback of this.#onDone) callback();
  }

  /** Waits until there is something to take, or never will be. */
  #change(): Promise<void> {
    const { clock, silenceTimeout } = this.#parts;
    const started = clock.monotonic();
    const timeout = Math.min(silenceTimeout, Math.max(0, LONGEST_WAIT - this.#waited));
    return new Promise((resolve) => {
      const silence = clock.setTimer(() => this.fail(this.#silence(timeout)), timeout);
      this.#wake = () => {
        this.#wake = undefined;
        silence.cancel();
        this.#waited += clock.monotonic() - started;
        resolve();
      };
    });
  }

  #silence(timeout: number): TransportError {
    return timeoutError('silence', 'no more bytes', timeout, { host: this.#parts.host });
  }
}
