import { type ByteString, toReadableText } from '../byte-string.js';
import { UrlError } from '../url-error.js';
import type { OptionValue } from './option-value.js';

/** An option's canonical name and its effective value, such as `['width', '300']`. */
export type OptionPair = readonly [name: string, value: string];

/** The one map that all options of a URL fill; the last value of a name wins. */
export class EffectiveOptions {
  readonly #values = new Map<string, string>();

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  set(name: string, canonicalValue: string): void {
    this.#values.set(name, canonicalValue);
  }

  delete(name: string): void {
    this.#values.delete(name);
  }

  /** Names and values, sorted by name. */
  toSortedPairs(): readonly OptionPair[] {
    return [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** @throws UrlError with status 404 when there are more. */
export function assertAtMost(count: number, name: string, args: readonly ByteString[]): void {
  if (args.length > count) throw invalidArguments(name, args);
}

export function invalidArguments(name: string, args: readonly ByteString[]): UrlError {
  return UrlError.invalid(`Invalid ${name} arguments: [${toReadableText(args.join(' '))}]`);
}

/** @throws UrlError with status 404 when the argument is refused. */
export function canonicalArgument(name: string, value: OptionValue, argument: ByteString): string {
  const canonical = value.canonical(argument);
  if (canonical !== undefined) return canonical;
  throw UrlError.invalid(`Invalid ${name}: ${toReadableText(argument)} (expected ${value.expected})`);
}
