/**
 * An unambiguous serialization of a tuple of strings and lists. Every part begins with a letter for its kind and with
 * its length, as in netstrings, so that no content can imitate the end of a part.
 */
export class KeyTuple {
  #text = '';

  /** Adds a string. */
  text(value: string): this {
    this.#text += `s${value.length}:${value}`;
    return this;
  }

  /** Adds bytes that are not valid UTF-8. They differ from every string. */
  bytes(value: Uint8Array): this {
    this.#text += `b${value.length}:${Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')}`;
    return this;
  }

  /** Adds a part that is absent, which differs from an empty one. */
  absent(): this {
    this.#text += 'n';
    return this;
  }

  /** Begins a list of `length` items, which are added next. */
  list(length: number): this {
    this.#text += `l${length}:`;
    return this;
  }

  /** The serialized tuple. Its UTF-8 form is unambiguous, too, if the string is well-formed. */
  toString(): string {
    return this.#text;
  }
}
