import { type ByteString, toBytes, toText } from '../byte-string.js';
import { parseGoBoolean, parseGoFloat, parseGoInteger } from '../go-values.js';

/** How one argument is read. Arguments that mean the same have the same canonical text. */
export interface OptionValue {
  /** The canonical text, or undefined when the argument is refused. */
  readonly canonical: (argument: ByteString) => string | undefined;
  /** What the argument should have been, in imgproxy's words. */
  readonly expected: string;
}

/** What is not one of Go's spellings of a boolean is false, as in imgproxy. */
export const BOOLEAN: OptionValue = {
  canonical: (argument) => String(parseGoBoolean(argument) ?? false),
  expected: 'boolean',
};

export const NON_NEGATIVE_INTEGER: OptionValue = {
  canonical: (argument) => integerText(argument, (value) => value >= 0n),
  expected: 'positive number or 0',
};

/** 0 stands for the server's own quality. */
export const QUALITY: OptionValue = {
  canonical: (argument) => integerText(argument, (value) => value >= 0n && value <= 100n),
  expected: 'number in range 0-100',
};

export const UNIX_TIMESTAMP: OptionValue = {
  canonical: (argument) => integerText(argument, () => true),
  expected: 'unix timestamp',
};

/** NaN passes, as in imgproxy: it is not less than or equal to zero. */
export const POSITIVE_FLOAT: OptionValue = {
  canonical: (argument) => {
    const value = parseGoFloat(argument);
    return value === undefined || value <= 0 ? undefined : String(value);
  },
  expected: 'positive number',
};

export const COLOR_CHANNEL: OptionValue = {
  canonical: (argument) => {
    const isChannel = /^[0-9]+$/.test(argument) && Number(argument) <= 255;
    return isChannel ? Number(argument).toString(16).padStart(2, '0') : undefined;
  },
  expected: 'number in range 0-255',
};

/** Three or six hex digits of any case; the canonical text has six in lower case. */
export const HEX_COLOR: OptionValue = {
  canonical: (argument) => {
    if (!/^(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$/.test(argument)) return undefined;
    const digits = argument.length === 3 ? argument.replace(/./g, '$&$&') : argument;
    return digits.toLowerCase();
  },
  expected: 'hex-encoded color',
};

/** Text as it stands. Bytes that are not UTF-8 are refused: no text can stand for them in a key. */
export const TEXT: OptionValue = {
  canonical: (argument) => toText(toBytes(argument)),
  expected: 'UTF-8 text',
};

export function oneOf(...names: readonly string[]): OptionValue {
  return {
    canonical: (argument) => (names.includes(argument) ? argument : undefined),
    expected: names.join(', '),
  };
}

const FORMATS = ['jpeg', 'jxl', 'png', 'webp', 'gif', 'ico', 'svg', 'heic', 'avif', 'bmp', 'tiff'];

/** Formats of open-source imgproxy, in lower case; `jpg` is `jpeg`. */
export const IMAGE_FORMAT: OptionValue = {
  canonical: (argument) => {
    const name = argument === 'jpg' ? 'jpeg' : argument;
    return FORMATS.includes(name) ? name : undefined;
  },
  expected: 'supported image format',
};

function integerText(argument: string, isAllowed: (value: bigint) => boolean): string | undefined {
  const value = parseGoInteger(argument);
  return value !== undefined && isAllowed(value) ? String(value) : undefined;
}
