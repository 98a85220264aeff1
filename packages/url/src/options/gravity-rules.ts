import { type ByteString, toReadableText } from '../byte-string.js';
import { parseGoFloat } from '../go-values.js';
import { OptionError } from '../url-error.js';
import {
  assertAtMost,
  canonicalArgument,
  type EffectiveOptions,
  invalidArguments,
  type OptionRule,
  writeAll,
} from './option-definition.js';
import { BOOLEAN, NON_NEGATIVE_FLOAT, type OptionValue, oneOf, TEXT } from './option-value.js';

const DIRECTIONS = ['ce', 'no', 'ea', 'so', 'we', 'nowe', 'noea', 'sowe', 'soea'] as const;
const CROP = oneOf('sm', 'fp', ...DIRECTIONS);
const PRO_CROP = oneOf('sm', 'fp', 'obj', 'objw', ...DIRECTIONS);
const EXTEND = oneOf('fp', ...DIRECTIONS);
const OBJECTS = oneOf('fp', 'prop', ...DIRECTIONS);

/** Where a watermark stands. */
export const WATERMARK_POSITION = oneOf('re', ...DIRECTIONS);
export const PRO_WATERMARK_POSITION = oneOf('re', 'ch', ...DIRECTIONS);

type Offsets = readonly [xOffset?: number | undefined, yOffset?: number | undefined];

/** A direction, `sm` and `fp`; in imgproxy Pro `obj` and `objw`, with classes of objects, too. */
export type Gravity =
  | readonly [type: (typeof DIRECTIONS)[number] | 'fp' | 'sm', ...Offsets]
  | readonly [type: 'obj' | 'objw', ...classes: (string | number)[]];

/** A direction, or `fp`. */
export type ExtendGravity = readonly [type: (typeof DIRECTIONS)[number] | 'fp', ...Offsets];

/** `gravity`: from which part of a picture to cut. */
export const GRAVITY: OptionRule<Gravity> = {
  read: (name, args, options, { isPro }) => readGravity(name, args, options, isPro ? PRO_CROP : CROP),
  write: writeAll,
};

/** `objects_position`, which has the directions of gravity. */
export const OBJECTS_POSITION: OptionRule<readonly [type: ExtendGravity[0] | 'prop', ...Offsets]> = {
  read: (name, args, options) => readGravity(name, args, options, OBJECTS),
  write: writeAll,
};

/** `crop`: width, height, and a gravity of its own. */
export const CROP_AREA: OptionRule<
  readonly [width: number, height?: number | undefined, ...gravity: Gravity | []]
> = {
  read: (name, args, options, { isPro }) => {
    for (const [place, side] of ['width', 'height'].entries()) {
      const key = `${name}.${side}`;
      const argument = args[place];
      if (argument !== undefined) options.set(key, canonicalArgument(key, NON_NEGATIVE_FLOAT, argument));
    }
    if (args.length > 2) readGravity(`${name}.gravity`, args.slice(2), options, isPro ? PRO_CROP : CROP);
  },
  write: writeAll,
};

/** `extend` and `extend_aspect_ratio`: whether to, and the picture's place. */
export const EXTENSION: OptionRule<readonly [isEnabled: boolean, ...gravity: ExtendGravity | []]> = {
  read: (name, args, options) => {
    assertAtMost(4, name, args);
    const key = `${name}.enabled`;
    options.set(key, canonicalArgument(key, BOOLEAN, args[0] ?? ''));
    if (args.length > 1) readGravity(`${name}.gravity`, args.slice(1), options, EXTEND);
  },
  write: writeAll,
};

function readGravity(
  name: string,
  args: readonly ByteString[],
  options: EffectiveOptions,
  types: OptionValue<never>,
): void {
  const type = canonicalArgument(`${name}.type`, types, args[0] ?? '');
  options.set(`${name}.type`, type);
  if (type === 'obj' || type === 'objw') {
    options.set(`${name}.objects`, canonicalArgument(name, TEXT, args.slice(1).join('/')));
    return;
  }
  if (args.length > (type === 'sm' || type === 'prop' ? 1 : 3)) throw invalidArguments(name, args);
  if (type === 'fp' && args.length !== 3) throw invalidArguments(name, args);
  // Offsets that are not given stay as they were, but where they mean nothing.
  if (type === 'sm') {
    options.delete(`${name}.x_offset`);
    options.delete(`${name}.y_offset`);
  }
  if (args[1] !== undefined) options.set(`${name}.x_offset`, offsetOf(`${name}.x_offset`, type, args[1]));
  if (args[2] !== undefined) options.set(`${name}.y_offset`, offsetOf(`${name}.y_offset`, type, args[2]));
}

function offsetOf(name: string, type: string, argument: ByteString): string {
  const offset = parseGoFloat(argument);
  // Not "<": NaN is no place in the picture.
  const isOutside = type === 'fp' && offset !== undefined && !(offset >= 0 && offset <= 1);
  if (offset === undefined || isOutside)
    throw OptionError.wrong(`Invalid ${name}: ${toReadableText(argument)}`);
  return String(offset);
}
