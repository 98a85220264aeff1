export interface RecentValuesLimits {
  /** Largest number of values. At least about half as many are kept. */
  readonly maxEntries: number;
  /** Largest number of characters in all keys together. */
  readonly maxCharacters: number;
  /** Longer keys are not remembered. */
  readonly maxKeyLength: number;
}

/**
 * A bounded memo of values computed from strings, in two generations. When the young generation is full it becomes the
 * old one, and values that were not used since the previous change are dropped. It never empties at once, and a working
 * set that is too large costs no more than no memo.
 */
export class RecentValues<Value> {
  readonly #limits: RecentValuesLimits;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #characters = 0;

  constructor(limits: RecentValuesLimits) {
    this.#limits = limits;
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: Value): void {
    const { maxEntries, maxCharacters, maxKeyLength } = this.#limits;
    if (key.length > maxKeyLength) return;
    this.#young.set(key, value);
    this.#characters += key.length;
    if (this.#young.size * 2 < maxEntries && this.#characters * 2 < maxCharacters) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#characters = 0;
  }
}
