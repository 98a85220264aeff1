/** Bytes of a body, both inclusive. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const RANGE = /^bytes=[ \t]*(?:(?<first>\d+)-(?<last>\d*)|-(?<suffix>\d+))[ \t]*$/i;

/**
 * Reads a `Range` field (RFC 9110, section 14.2) that asks for one range of bytes.
 *
 * @param size length of the body in bytes
 * @returns `'unsatisfiable'` if the body has none of the bytes; `undefined` for a field to ignore: malformed, of another
 *   unit, or with several ranges
 */
export function parseByteRange(field: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const { first, last = '', suffix } = RANGE.exec(field)?.groups ?? {};
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 };
  }
  if (first === undefined) return undefined;
  if (last !== '' && isLess(last, first)) return undefined;
  if (Number(first) >= size) return 'unsatisfiable';
  return { first: Number(first), last: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

// Positions may exceed what a number can tell apart.
function isLess(a: string, b: string): boolean {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return left.length === right.length ? left < right : left.length < right.length;
}
