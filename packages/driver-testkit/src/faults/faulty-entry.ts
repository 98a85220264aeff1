import type { Clock, EntryMetadata, OperationOptions, StoredEntry } from '@imgproxy-cache/core/driver';
import type { InjectedFault } from './injected-fault.js';
import { suffer } from './suffer.js';

/** An entry with faults in its body. */
export class FaultyEntry implements StoredEntry {
  readonly metadata: EntryMetadata;
  readonly #entry: StoredEntry;
  readonly #clock: Clock;
  readonly #givenUp = new AbortController();
  readonly #strike: () => readonly InjectedFault[];

  /** @param strike returns the faults that strike a reading of the body */
  constructor(entry: StoredEntry, clock: Clock, strike: () => readonly InjectedFault[]) {
    this.metadata = entry.metadata;
    this.#entry = entry;
    this.#clock = clock;
    this.#strike = strike;
  }

  async bytes(options: OperationOptions = {}): Promise<Uint8Array> {
    const faults = this.#strike();
    await this.#sufferUpTo(Number.POSITIVE_INFINITY, new Set(faults), options);
    return this.#damage(await this.#entry.bytes(options), 0, faults);
  }

  async *stream(options: OperationOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const faults = this.#strike();
    const ahead = new Set(faults);
    await this.#sufferUpTo(1, ahead, options);
    let offset = 0;
    for await (const chunk of this.#entry.stream(options)) {
      await this.#sufferUpTo(offset + chunk.length, ahead, options);
      const damaged = this.#damage(chunk, offset, faults);
      if (damaged.length > 0) yield damaged;
      offset += chunk.length;
    }
  }

  discard(): Promise<void> {
    this.#givenUp.abort();
    return this.#entry.discard();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  /** Suffers, of the faults that are ahead, those before the byte at `end`. */
  async #sufferUpTo(end: number, ahead: Set<InjectedFault>, { signal }: OperationOptions): Promise<void> {
    const either =
      signal === undefined ? this.#givenUp.signal : AbortSignal.any([signal, this.#givenUp.signal]);
    for (const fault of ahead) {
      if ('offset' in fault.effect && (fault.effect.offset ?? 0) >= end) continue;
      ahead.delete(fault);
      try {
        await suffer(fault, this.#clock, either, 'get');
      } catch (error) {
        await this.#entry.discard();
        throw error;
      }
    }
  }

  /** A chunk that begins at `offset` of the body, as the faults leave it. */
  #damage(chunk: Uint8Array, offset: number, faults: readonly InjectedFault[]): Uint8Array {
    let damaged = chunk;
    for (const { effect } of faults) {
      if (effect.kind === 'truncate') damaged = damaged.subarray(0, Math.max(0, effect.bytes - offset));
      if (effect.kind === 'corrupt') {
        const index = (effect.offset ?? this.metadata.size >> 1) - offset;
        if (index >= 0 && index < damaged.length) {
          damaged = damaged.map((byte, each) => (each === index ? byte ^ 1 : byte));
        }
      }
    }
    return damaged;
  }
}
