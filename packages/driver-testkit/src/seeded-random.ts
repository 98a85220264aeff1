/** Random numbers that a seed repeats: the generator mulberry32. Not for secrets. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A number from 0 up to 1, 1 excluded. */
  next(): number {
    return this.#nextUint32() / 2 ** 32;
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(Math.ceil(count / 4) * 4);
    for (let offset = 0; offset < count; offset += 4) bytes.writeUInt32LE(this.#nextUint32(), offset);
    return bytes.subarray(0, count);
  }

  #nextUint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
