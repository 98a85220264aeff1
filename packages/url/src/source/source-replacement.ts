import { type ByteString, toByteString } from '../byte-string.js';
import type { UrlReplacement } from '../url-config.js';
import { UrlError } from '../url-error.js';
import { UrlPattern } from './url-pattern.js';

/** `$$`, `${name}` and `$name`; any other `$` stands for itself. */
const REFERENCE = /(\$(?:\$|\{[\p{L}\p{Nd}_]+\}|[\p{L}\p{Nd}_]+))/u;

const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Replaces the beginning of a URL that a pattern matches, by Go's `regexp.Expand`: a name is as long as it can
 * be, so `$1x` names `1x` and not 1, and what names no star is empty.
 */
export class SourceReplacement {
  readonly #pattern: UrlPattern;
  /** Text, and the numbers of stars; 0 is all that the pattern matches. */
  readonly #template: readonly (ByteString | number)[];

  constructor({ pattern, replacement }: UrlReplacement) {
    this.#pattern = new UrlPattern(pattern);
    this.#template = replacement.split(REFERENCE).map((part, index) => {
      // What a pattern in parentheses splits by stands at the odd places.
      if (index % 2 === 0) return toByteString(part);
      const name = part.replace(/[${}]/g, '');
      if (part === '$$') return '$';
      return /^(?:0|[1-9][0-9]*)$/.test(name) ? Number(name) : '';
    });
  }

  /** @throws UrlError with status 404 where the result is too long. */
  apply(url: ByteString): ByteString {
    const groups = this.#pattern.match(url);
    if (groups === undefined) return url;
    const [matched = ''] = groups;
    const replaced = this.#template.map((part) => (typeof part === 'string' ? part : (groups[part] ?? '')));
    const rest = url.slice(matched.length);
    const length = replaced.reduce((sum, part) => sum + part.length, rest.length);
    // A rule may hold what it matched many times, and so may the next one.
    if (length > MOST_BYTES)
      throw UrlError.invalid(`Source URL is longer than ${MOST_BYTES} bytes after replacements`);
    return replaced.join('') + rest;
  }
}
