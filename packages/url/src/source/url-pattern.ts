import { type ByteString, toByteString } from '../byte-string.js';

/** A pattern that matches the beginning of a URL; `*` stands for any bytes but a slash. */
export class UrlPattern {
  /** For each part between slashes, what stands around its stars. */
  readonly #segments: readonly (readonly ByteString[])[];

  constructor(pattern: string) {
    this.#segments = toByteString(pattern)
      .split('/')
      .map((segment) => segment.split('*'));
  }

  /**
   * The beginning that matches, then what each star stands for. Each star takes as much as it can, the first
   * one first, as `([^/]*)` does in a regular expression. A backtracking expression is not used, since its time
   * grows by the length of the URL to the power of the stars; here it grows by the length alone.
   */
  match(url: ByteString): readonly ByteString[] | undefined {
    const last = this.#segments.length - 1;
    const matched: ByteString[] = [];
    const stars: ByteString[] = [];
    // No star stands for a slash, so each segment of the pattern belongs to one segment of the URL.
    const segments = url.split('/', last + 1);
    for (const [index, literals] of this.#segments.entries()) {
      const segment = segments[index];
      const match = segment === undefined ? undefined : matchSegment(literals, segment);
      if (segment === undefined || match === undefined || (index < last && match.rest !== ''))
        return undefined;
      matched.push(segment.slice(0, segment.length - match.rest.length));
      stars.push(...match.stars);
    }
    return [matched.join('/'), ...stars];
  }
}

interface SegmentMatch {
  readonly stars: readonly ByteString[];
  /** What follows the last literal. */
  readonly rest: ByteString;
}

/**
 * Places the literals from the last to the second, each as far back as those after it allow. An earlier star
 * cannot be longer in any other match, and the last literal leaves the least that it can.
 */
function matchSegment(
  [first = '', ...others]: readonly ByteString[],
  text: ByteString,
): SegmentMatch | undefined {
  const stars: ByteString[] = [];
  let end = text.length;
  for (const literal of others.toReversed()) {
    const start = end < literal.length ? -1 : text.lastIndexOf(literal, end - literal.length);
    if (start < 0) return undefined;
    stars.unshift(text.slice(start + literal.length, end));
    end = start;
  }
  if (end < first.length || !text.startsWith(first)) return undefined;
  stars.unshift(text.slice(first.length, end));
  return { rest: stars.pop() ?? '', stars };
}
