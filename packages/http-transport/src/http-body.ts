import type { TransportClock } from './clock.js';
import { connectionError, type TransportError, timeoutError } from './transport-error.js';

/**
 * The fewest bytes a second that a body may bring while its reader waits for it. What counts is the mean over the time
 * that the reader has waited: a body that has brought nothing is given up after `silenceTimeout`, and one that brings
 * less than this after about as long.
 */
export const MINIMUM_RATE = 1024;

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
  /** How long the reader waits for a body that brings nothing, in milliseconds. */
  readonly silenceTimeout: number;
  readonly host: string;
}

/** How much of a body is read, and for how long. */
export interface ReadLimits {
  readonly maxBytes: number;
  /** In milliseconds. Default: no limit beyond those of {@link HttpBody.next}. */
  readonly timeout?: number;
}

/** The beginning of a body, or all of it. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  /** Whether that is all of it. */
  readonly whole: boolean;
}

/**
 * The body of an answer, taken chunk by chunk. Time counts only while its reader waits for the store: whoever takes the
 * chunks slowly is not cut off, and holds the store back. A body must be read to its end or closed; then, and when it
 * fails, its connection is given back or broken.
 */
export class HttpBody {
  readonly #parts: HttpBodyParts;
  readonly #chunks: Uint8Array[] = [];
  #ready = 0;
  #received = 0;
  #paused = false;
  #ended = false;
  #done = false;
  #failure: Error | undefined;
  /** How long the reader still waits, in milliseconds. Waiting uses it up, and bytes put it back. */
  #patience: number;
  #wake: (() => void) | undefined;
  readonly #onDone: (() => void)[] = [];

  constructor(parts: HttpBodyParts) {
    this.#parts = parts;
    this.#patience = parts.silenceTimeout;
  }

  /** How many bytes have been read. */
  get received(): number {
    return this.#received;
  }

  /**
   * The next chunk; `undefined` at the end. Not to be called again before it has answered.
   * @throws TransportError where the store falls silent, is slower than {@link MINIMUM_RATE}, or breaks the connection,
   *   and after {@link close}.
   */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#ready -= chunk.length;
        this.#received += chunk.length;
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

  /**
   * Reads the body at once. If it exceeds a limit, the rest is given up and the connection broken.
   * @throws TransportError as {@link next} does
   */
  async read({ maxBytes, timeout }: ReadLimits): Promise<ReadBody> {
    const chunks: Uint8Array[] = [];
    let late = false;
    const giveUp = (): void => {
      late = true;
      this.close();
    };
    const deadline = timeout === undefined ? undefined : this.#parts.clock.setTimer(giveUp, timeout);
    try {
      for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) {
        chunks.push(chunk);
        if (this.#received > maxBytes) return { bytes: joined(chunks).subarray(0, maxBytes), whole: false };
      }
      return { bytes: joined(chunks), whole: true };
    } catch (error) {
      if (!late) throw error;
      return { bytes: joined(chunks), whole: false };
    } finally {
      deadline?.cancel();
      this.close();
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
    this.#wake?.();
    this.#chunks.push(chunk);
    this.#ready += chunk.length;
    const earned = (chunk.length / MINIMUM_RATE) * 1000;
    this.#patience = Math.min(this.#parts.silenceTimeout, this.#patience + earned);
    if (this.#ready >= READY_BYTES && !this.#paused) {
      this.#paused = true;
      this.#parts.flow.pause();
    }
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
    const { clock } = this.#parts;
    const started = clock.monotonic();
    return new Promise((resolve) => {
      const end = clock.setTimer(() => this.fail(this.#tooSlow()), this.#patience);
      this.#wake = () => {
        this.#wake = undefined;
        end.cancel();
        this.#patience = Math.max(0, this.#patience - (clock.monotonic() - started));
        resolve();
      };
    });
  }

  #tooSlow(): TransportError {
    const { silenceTimeout, host } = this.#parts;
    return timeoutError('silence', `fewer than ${MINIMUM_RATE} bytes a second`, silenceTimeout, { host });
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const [only] = chunks;
  // It came off the wire by itself, so nothing else has it.
  if (only !== undefined && chunks.length === 1) return only;
  // Not from Node's pool, which a small body would keep alive as a whole.
  const whole = Buffer.allocUnsafeSlow(chunks.reduce((size, { length }) => size + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
