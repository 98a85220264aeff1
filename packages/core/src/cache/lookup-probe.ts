import { type CacheError, type Clock, readVerified, type StoredEntry } from '../driver/index.js';
import type { ByteBudget } from '../resilience/byte-budget.js';
import type { Deadline } from '../resilience/deadline.js';
import type { LookupPart } from './cache-events.js';
import { type GuardedDriver, isHarmless } from './guarded-driver.js';

export interface LookupProbeParts {
  readonly driver: GuardedDriver;
  readonly clock: Clock;
  readonly budget: ByteBudget;
  readonly deadline: Deadline;
  readonly verifyBytes: number;
  isSlow(duration: number): boolean;
  onCorrupt(name: string, error: CacheError): void;
}

// A store where a quarter of the bodies hang passes with a probability of only 0.75 ** 16, which is 1 %.
const LOOKUPS = 16;
const NAMES = 16;
/** How much of a streamed body is read, in bytes. */
const ENOUGH = 1_048_576;

/**
 * Tests in the background whether look-ups work again. It looks up entries and reads their bodies one after the other, and
 * all must succeed. It uses names of existing entries, since a miss does not show whether bodies can be read.
 */
export class LookupProbe {
  readonly #parts: LookupProbeParts;
  readonly #small: string[] = [];
  readonly #large: string[] = [];
  #found = 0;
  #asked: string | undefined;

  constructor(parts: LookupProbeParts) {
    this.#parts = parts;
  }

  /** Records a name that was looked up. */
  noteAsked(name: string): void {
    this.#asked = name;
  }

  /** Records a name that was found. `isSmall`: its body is read whole. */
  noteFound(name: string, isSmall: boolean): void {
    (isSmall ? this.#small : this.#large)[this.#found++ % NAMES] = name;
  }

  /** @throws CacheError the first failure */
  async run(part: LookupPart): Promise<void> {
    for (let lookup = 0; lookup < LOOKUPS; lookup++) {
      const known = (part === 'stream' ? this.#large : this.#small).filter((name) => name !== undefined);
      const name = known[lookup % Math.max(1, known.length)] ?? this.#asked;
      if (name === undefined) return;
      await this.#lookUp(name);
    }
  }

  async #lookUp(name: string): Promise<void> {
    const { driver, clock, deadline, onCorrupt } = this.#parts;
    const begun = clock.monotonic();
    try {
      const entry = await deadline.run(
        (signal) => driver.get(name, signal),
        (late) => void late?.discard(),
      );
      if (entry === undefined) this.#forget(name);
      else await this.#read(entry);
    } catch (thrown) {
      const error = driver.fail(thrown, 'get', begun);
      if (!isHarmless(error.code, 'get')) throw error;
      if (error.code === 'ERR_CACHE_CORRUPT') onCorrupt(name, error);
      this.#forget(name);
      return;
    }
    const duration = clock.monotonic() - begun;
    driver.succeed('get', begun, 0);
    if (this.#parts.isSlow(duration)) throw driver.slow('get', duration);
  }

  async #read(entry: StoredEntry): Promise<void> {
    const { deadline, budget, verifyBytes } = this.#parts;
    const { size } = entry.metadata;
    await using _ = entry;
    if (size <= verifyBytes) {
      budget.take(size);
      await deadline.run((signal) => readVerified(entry, { signal })).finally(() => budget.release(size));
      return;
    }
    const chunks = entry.stream()[Symbol.asyncIterator]();
    for (let read = 0; read < ENOUGH; ) {
      const step = await deadline.run(() => chunks.next());
      if (step.done === true) return;
      read += step.value.length;
    }
  }

  #forget(name: string): void {
    for (const names of [this.#small, this.#large]) {
      for (const [index, known] of names.entries()) if (known === name) delete names[index];
    }
  }
}
