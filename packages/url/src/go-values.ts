const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** Go's `strconv.ParseBool`; undefined for anything but its own spellings. */
export function parseGoBoolean(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}

/** Go's `strconv.Atoi` and `ParseInt` in base 10: 64 bits, an optional sign, decimal digits. */
export function parseGoInteger(text: string): bigint | undefined {
  const [, sign, digits = ''] = /^([+-]?)0*([0-9]*)$/.exec(text) ?? [];
  // A long number is refused before it is read, which takes longer than its length.
  if (sign === undefined || text === sign || digits.length > 19) return undefined;
  const value = BigInt(`${sign === '-' ? '-' : ''}${digits || '0'}`);
  return value >= INT64_MIN && value <= INT64_MAX ? value : undefined;
}

const DIGITS = '[0-9](?:_?[0-9])*';
const HEX_DIGITS = '[0-9A-Fa-f](?:_?[0-9A-Fa-f])*';
const DECIMAL_FLOAT = new RegExp(
  `^[+-]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:[Ee][+-]?${DIGITS})?$`,
);
const HEX_FLOAT = new RegExp(
  `^([+-]?)0[Xx](?:_?(${HEX_DIGITS})(?:\\.(${HEX_DIGITS})?)?|\\.(${HEX_DIGITS}))[Pp]([+-]?${DIGITS})$`,
);
const INFINITY = /^([+-]?)inf(?:inity)?$/i;

/**
 * Go's `strconv.ParseFloat` with 64 bits: decimal and hexadecimal literals with underscores, `Inf`,
 * `Infinity` and `NaN` in any case. A finite literal that is out of range is refused; one that is too
 * small is zero.
 */
export function parseGoFloat(text: string): number | undefined {
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinity = INFINITY.exec(text);
  if (infinity) return infinity[1] === '-' ? -Infinity : Infinity;
  const value = DECIMAL_FLOAT.test(text) ? Number(text.replaceAll('_', '')) : parseHexFloat(text);
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

function parseHexFloat(text: string): number | undefined {
  const [, sign, whole = '', afterWhole = '', alone = '', exponent] = HEX_FLOAT.exec(text) ?? [];
  if (exponent === undefined) return undefined;
  const fraction = (afterWhole + alone).replaceAll('_', '');
  const mantissa = BigInt(`0x${whole.replaceAll('_', '')}${fraction}`);
  const magnitude = scale(mantissa, Number(exponent.replaceAll('_', '')) - 4 * fraction.length);
  return sign === '-' ? -magnitude : magnitude;
}

/** mantissa * 2^exponent, rounded once: 64 bits are kept, the lowest of which says that others were cut. */
function scale(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const cut = Math.max(0, mantissa.toString(2).length - 64);
  const kept = mantissa >> BigInt(cut);
  const sticky = kept << BigInt(cut) === mantissa ? kept : kept | 1n;
  // In two steps, since 2^exponent may be out of range where the product is not.
  const half = Math.trunc((exponent + cut) / 2);
  return Number(sticky) * 2 ** half * 2 ** (exponent + cut - half);
}
