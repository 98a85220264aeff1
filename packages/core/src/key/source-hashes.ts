import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { RecentValues } from '../driver/recent-values.js';

const KNOWN = { maxEntries: 2048, maxCharacters: 262_144, maxKeyLength: 512 };

/**
 * SHA-256 of source URLs. Requests repeat sources in many variants, and the hash takes a third of a key's cost, so the
 * latest ones are remembered.
 */
export class SourceHashes {
  readonly #known = new RecentValues<string>(KNOWN);

  /**
   * 64 hexadecimal digits.
   * @throws TypeError for a string with a lone surrogate, which would have the same hash as another string
   */
  hash(source: string | Uint8Array): string {
    if (typeof source !== 'string') return hash('sha256', source, 'hex');
    const known = this.#known.get(source);
    if (known !== undefined) return known;
    if (!source.isWellFormed()) {
      throw new TypeError('the source URL is not well-formed Unicode (a lone surrogate): pass it as bytes');
    }
    const made = hash('sha256', source, 'hex');
    this.#known.set(source, made);
    return made;
  }
}

/** Turns bytes that are valid UTF-8 into a string, so that both forms of a source have one key. */
export function sourceText(source: string | Uint8Array): string | Uint8Array {
  if (typeof source === 'string' || !isUtf8(source)) return source;
  return Buffer.from(source.buffer, source.byteOffset, source.length).toString('utf8');
}
