import type { TransportClock } from './clock.js';
import { connectionError, type TransportError, timeoutError } from './transport-error.js';

/**
 * The fewest bytes a second that a body may bring while its reader waits, as a mean over that time. A body that brings
 * nothing is given up after `silenceTimeout`, and a slower one after about as long.
 */
export const MINIMUM_RATE = 1024;

/** Bytes that are read ahead of a slow reader. Past that the store is slowed down. */
const READY_BYTES = 64 * 1024;

/** Controls the connection that a body comes from. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
  /** Breaks the connection before the end of the body. */
  abort(): void;
}

/** What an {@link HttpBody} needs. */
export interface HttpBodyParts {
  readonly flow: BodyFlow;
  readonly clock: TransportClock;
  /** How long the reader waits for a body that brings nothing, in milliseconds. */
  readonly silenceTimeout: number;
  readonly host: string;
}

/** Limits of {@link HttpBody.read}. */
export interface ReadLimits {
  readonly maxBytes: number;
  /** In milliseconds. Default: no limit beyond those of {@link HttpBody.next}. */
  readonly timeout?: number;
}

/** What {@link HttpBody.read} has read. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  /** Whether that is the whole body. */
  readonly whole: boolean;
}

/**
 * The body of an answer, read chunk by chunk. It must be read to its end or closed, which returns its connection to the
 * pool or breaks it. Time counts only while the reader waits: a slow reader slows the store down and is not cut off.
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
  /** How long the reader may still wait, in milliseconds. Waiting uses it up, and bytes restore it. */
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
   * The next chunk, or `undefined` at the end. It must not be called again before it has settled.
   * @throws TransportError if the store is silent, slower than {@link MINIMUM_RATE} or breaks the connection, and after
   *   {@link close}
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

  /** Gives the body up: breaks its connection unless the body has arrived. */
  close(): void {
    if (this.#done) return;
    this.fail(connectionError('closed', 'gave up the body from', { host: this.#parts.host }));
  }

  /** Calls back once, when the body has been read to its end, has failed or was closed. */
  onDone(callback: () => void): void {
    if (this.#done) callback();
    else this.#onDone.push(callback);
  }

  /** Adds a chunk that has arrived. */
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

  /** Marks the body as complete. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Ends the body with an error. */
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

  /** Waits for a chunk, the end or a failure. */
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
