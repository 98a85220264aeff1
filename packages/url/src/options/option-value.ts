import {
  type ByteString,
  decodeBase64Url,
  encodeBase64Url,
  toByteString,
  toText,
  trimPadding,
} from '../byte-string.js';
import { parseGoBoolean, parseGoFloat, parseGoInteger } from '../go-values.js';

/** How one argument is read and written. Arguments that mean the same have the same canonical text. */
export interface OptionValue<Argument = unknown> {
  /** The canonical text, or undefined when the argument is refused. */
  readonly canonical: (argument: ByteString) => string | undefined;
  /** What the argument should have been, in imgproxy's words; absent where imgproxy gives none. */
  readonly expected?: string;
  /** The argument of a URL for a value; absent: the value's own text. */
  readonly write?: (argument: Argument) => string;
}

/** What is not one of Go's spellings of a boolean is false, as in imgproxy. */
export const BOOLEAN: OptionValue<boolean> = {
  canonical: (argument) => String(parseGoBoolean(argument) ?? false),
  expected: 'boolean',
};

export const INTEGER: OptionValue<number> = {
  canonical: (argument) => integerText(argument, () => true),
  expected: 'integer number',
};

export const NON_NEGATIVE_INTEGER: OptionValue<number> = {
  canonical: (argument) => integerText(argument, (value) => value >= 0),
  expected: 'positive number or 0',
};

export const POSITIVE_INTEGER: OptionValue<number> = {
  canonical: (argument) => integerText(argument, (value) => value > 0),
  expected: 'positive number',
};

/** A whole number between two bounds, both included. */
export function integerIn(least: number, most: number): OptionValue<number> {
  return {
    canonical: (argument) => integerText(argument, (value) => value >= least && value <= most),
    expected: `number in range ${least}-${most}`,
  };
}

export const UNIX_TIMESTAMP: OptionValue<number> = {
  canonical: (argument) => integerText(argument, () => true),
  expected: 'unix timestamp',
};

// What NaN is compared with is false, so it passes all of these, as in imgproxy.
export const FLOAT: OptionValue<number> = { canonical: (argument) => floatText(argument, () => false) };

export const NON_NEGATIVE_FLOAT: OptionValue<number> = {
  canonical: (argument) => floatText(argument, (value) => value < 0),
  expected: 'positive number or 0',
};

export const POSITIVE_FLOAT: OptionValue<number> = {
  canonical: (argument) => floatText(argument, (value) => value <= 0),
  expected: 'positive number',
};

export const UNIT_FLOAT: OptionValue<number> = {
  canonical: (argument) => floatText(argument, (value) => value < 0 || value > 1),
  expected: 'number in range 0-1',
};

/** Megapixels; the canonical text is whole pixels. */
export const RESOLUTION: OptionValue<number> = {
  canonical: (argument) => {
    const megapixels = parseGoFloat(argument);
    if (megapixels === undefined || megapixels < 0) return undefined;
    const pixels = Math.trunc(megapixels * 1_000_000);
    // What does not fit into 64 bits, NaN included, is the least number there.
    return String(pixels < 2 ** 63 ? BigInt(pixels) : -(2n ** 63n));
  },
  expected: 'positive number or 0',
};

export const COLOR_CHANNEL: OptionValue<number> = {
  canonical: (argument) => {
    const isChannel = /^[0-9]+$/.test(argument) && Number(argument) <= 255;
    return isChannel ? Number(argument).toString(16).padStart(2, '0') : undefined;
  },
  expected: 'number in range 0-255',
};

/** Three or six hex digits of any case; the canonical text has six in lower case. */
export const HEX_COLOR: OptionValue<string> = {
  canonical: (argument) => {
    if (!/^(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$/.test(argument)) return undefined;
    const digits = argument.length === 3 ? argument.replace(/./g, '$&$&') : argument;
    return digits.toLowerCase();
  },
  expected: 'hex-encoded color',
};

/** Text as it stands. Bytes that are not UTF-8 are refused: no text can stand for them in a key. */
export const TEXT: OptionValue<string> = { canonical: toText, expected: 'UTF-8 text' };

/** Text in URL-safe base64. */
export const BASE64_TEXT: OptionValue<string> = {
  canonical: (argument) => {
    const bytes = decodeBase64Url(trimPadding(argument));
    return bytes === undefined ? undefined : toText(bytes);
  },
  expected: 'URL-safe base64-encoded string',
  write: (text) => encodeBase64Url(toByteString(String(text))),
};

export function oneOf<Name extends string>(...names: readonly Name[]): OptionValue<Name> {
  return {
    canonical: (argument) => names.find((name) => name === argument),
    expected: names.join(', '),
  };
}

const IMAGE_FORMATS = [
  ...(['jpeg', 'jpg', 'jxl', 'png', 'webp', 'gif'] as const),
  ...(['ico', 'svg', 'heic', 'avif', 'bmp', 'tiff'] as const),
] as const;
const PRO_FORMATS = ['best', 'mp4', 'webm', 'mov', 'mkv', 'pdf', 'psd'] as const;

/** A format's name in a URL; `jpg` means `jpeg`. Those from `best` on are imgproxy Pro's. */
export type ImageFormat = (typeof IMAGE_FORMATS)[number] | (typeof PRO_FORMATS)[number];

/** Formats of open-source imgproxy, in lower case. */
export const IMAGE_FORMAT: OptionValue<ImageFormat> = formatOf(IMAGE_FORMATS);

/** Formats of imgproxy Pro. */
export const PRO_IMAGE_FORMAT: OptionValue<ImageFormat> = formatOf([...IMAGE_FORMATS, ...PRO_FORMATS]);

function formatOf(formats: readonly ImageFormat[]): OptionValue<ImageFormat> {
  const names = new Set<string>(formats);
  return {
    canonical: (argument) => {
      if (!names.has(argument)) return undefined;
      return argument === 'jpg' ? 'jpeg' : argument;
    },
    expected: 'supported image format',
  };
}

function integerText(argument: string, isAllowed: (value: bigint | number) => boolean): string | undefined {
  // The usual ones without their 64 bits.
  if (/^[1-9][0-9]{0,14}$/.test(argument)) return isAllowed(Number(argument)) ? argument : undefined;
  const value = parseGoInteger(argument);
  return value !== undefined && isAllowed(value) ? String(value) : undefined;
}

function floatText(argument: string, isRefused: (value: number) => boolean): string | undefined {
  const value = parseGoFloat(argument);
  return value === undefined || isRefused(value) ? undefined : String(value);
}
