/**
 * A tuple of strings and lists written so that no two tuples read alike: every part begins with a letter for
 * its kind and its own length (as in netstrings), so a part's end never depends on what it holds.
 */
export class KeyTuple {
  #text = '';

  /** Adds a string. */
  text(value: string): this {
    this.#text += `s${value.length}:${value}`;
    return this;
  }

  /** Adds bytes that are not valid UTF-8. They never equal a string. */
  bytes(value: Uint8Array): this {
    this.#text += `b${value.length}:${Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')}`;
    return this;
  }

  /** Adds a part that is absent, which differs from an empty one. */
  absent(): this {
    this.#text += 'n';
    return this;
  }

  /** Opens a list of `length` items, which are added next. */
  list(length: number): this {
    this.#text += `l${length}:`;
    return this;
  }

  /** The tuple. Its UTF-8 form is as unambiguous as long as the string is well-formed. */
  toString(): string {
    return this.#text;
  }
}
