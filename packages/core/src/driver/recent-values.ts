export interface RecentValuesLimits {
  /** Largest number of values. At least about half as many are kept. */
  readonly maxEntries: number;
  /** Largest number of characters in all keys together. Default: no limit. */
  readonly maxCharacters?: number;
  /** Longer keys are not remembered. Default: no limit. */
  readonly maxKeyLength?: number;
}

/**
 * A bounded memo of values by strings, in two generations. When the young generation is full it becomes the old one, and
 * values that were not used since the previous change are dropped. It never empties at once, and a working set that is too
 * large costs no more than no memo.
 */
export class RecentValues<Value> {
  readonly #maxEntries: number;
  readonly #maxCharacters: number;
  readonly #maxKeyLength: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #characters = 0;

  constructor({ maxEntries, maxCharacters = Infinity, maxKeyLength = Infinity }: RecentValuesLimits) {
    this.#maxEntries = maxEntries;
    this.#maxCharacters = maxCharacters;
    this.#maxKeyLength = maxKeyLength;
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: Value): void {
    if (key.length > this.#maxKeyLength) return;
    if (!this.#young.has(key)) this.#characters += key.length;
    this.#young.set(key, value);
    if (this.#young.size * 2 < this.#maxEntries && this.#characters * 2 < this.#maxCharacters) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#characters = 0;
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#characters = 0;
  }
}
