import { type ByteString, toReadableText } from '../byte-string.js';
import { OptionError } from '../url-error.js';
import type { OptionValue } from './option-value.js';

/** What the options of a pipeline come to: canonical values by name. */
export type EffectiveOptions = Map<string, string>;

/** What reading an option needs besides its arguments. */
export interface OptionContext {
  readonly isPro: boolean;
  /** The present time in milliseconds since 1970. */
  readonly now: () => number;
  /** Applies another option, for those that stand for several. */
  readonly apply: (name: string, args: readonly ByteString[]) => void;
  /** Applies presets by their names. */
  readonly applyPresets: (names: readonly ByteString[]) => void;
}

/** Reads the arguments of an option, of which there is at least one, into the effective options. */
export type OptionReader = (
  name: string,
  args: readonly ByteString[],
  options: EffectiveOptions,
  context: OptionContext,
) => void;

/** How an option's arguments are read, and how values are written as arguments. */
export interface OptionRule<Arguments extends readonly unknown[] = readonly unknown[]> {
  readonly read: OptionReader;
  /** The arguments for values, before they are joined. */
  readonly write: (values: Arguments) => readonly string[];
}

/** One option: its rule, and what there is to know of it. */
export interface OptionDefinition<Arguments extends readonly unknown[] = readonly unknown[]> {
  readonly aliases: readonly string[];
  readonly rule: OptionRule<Arguments>;
  /** Only imgproxy Pro has it. */
  readonly isPro?: boolean;
  /** It is the first pipeline's, wherever it stands. */
  readonly isMain?: boolean;
  /** Refused unless `IMGPROXY_ALLOW_SECURITY_OPTIONS` is set. */
  readonly isSecurity?: boolean;
}

/** @throws OptionError with status 404 when there are more. */
export function assertAtMost(count: number, name: string, args: readonly ByteString[]): void {
  if (args.length > count) throw invalidArguments(name, args);
}

export function invalidArguments(name: string, args: readonly ByteString[]): OptionError {
  return OptionError.wrong(`Invalid ${name} arguments: [${toReadableText(args.join(' '))}]`);
}

/** @throws OptionError with status 404 when the argument is refused. */
export function canonicalArgument(name: string, value: OptionValue<never>, argument: ByteString): string {
  const canonical = value.canonical(argument);
  if (canonical !== undefined) return canonical;
  if (value.expected === undefined) throw invalidArguments(name, [argument]);
  throw OptionError.wrong(`Invalid ${name}: ${toReadableText(argument)} (expected ${value.expected})`);
}

/** The argument of a URL for a value; undefined leaves it empty. */
export function written(value: OptionValue<never> | undefined, argument: unknown): string {
  if (argument === undefined) return '';
  if (value?.write !== undefined) return value.write(argument as never);
  return typeof argument === 'boolean' ? String(Number(argument)) : String(argument);
}

/** Arguments that are written as their own text. */
export function writeAll(values: readonly unknown[]): readonly string[] {
  return values.map((value) => written(undefined, value));
}

export function define<Arguments extends readonly unknown[]>(
  aliases: readonly string[],
  rule: OptionRule<Arguments>,
): OptionDefinition<Arguments> {
  return { aliases, rule };
}

/** An option of the first pipeline. */
export function main<Arguments extends readonly unknown[]>(
  aliases: readonly string[],
  rule: OptionRule<Arguments>,
): OptionDefinition<Arguments> {
  return { aliases, rule, isMain: true };
}
