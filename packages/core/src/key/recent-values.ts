export interface RecentValuesLimits {
  /** Most values, about half of which are kept at least. */
  readonly maxEntries: number;
  /** Most characters of all keys together. */
  readonly maxCharacters: number;
  /** A longer key is not kept. */
  readonly maxKeyLength: number;
}

/**
 * Remembers what was computed from strings lately, in two generations: when the young one is full it becomes the old
 * one, and what is not used until the next change is forgotten. A working set that is too large costs no more than
 * none, and a smaller one is never forgotten at a stroke.
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
