import { INFO_OPTIONS } from './info-options.js';
import type { OptionDefinition, OptionRule } from './option-definition.js';
import { PRO_OPTIONS } from './pro-options.js';
import { OPEN_SOURCE_OPTIONS } from './processing-options.js';

/** An option with the name of its values. */
export interface NamedOption extends OptionDefinition<never> {
  readonly name: string;
}

/** Options by all of their names. */
export type OptionTable = ReadonlyMap<string, NamedOption>;

type Definitions = Readonly<Record<string, OptionDefinition<never>>>;

function tableOf(definitions: Definitions): OptionTable {
  return new Map(
    Object.entries(definitions).flatMap(([name, definition]) =>
      [name, ...definition.aliases].map((alias) => [alias, { name, ...definition }] as const),
    ),
  );
}

export const OPEN_SOURCE_TABLE = tableOf(OPEN_SOURCE_OPTIONS);
export const PRO_TABLE = tableOf({ ...OPEN_SOURCE_OPTIONS, ...PRO_OPTIONS });
export const INFO_TABLE = tableOf(INFO_OPTIONS);

type ArgumentsOf<Definition> = Definition extends { readonly rule: OptionRule<infer Arguments> }
  ? Arguments | Alone<Arguments>
  : never;

/** A value may stand alone where no other has to follow it. */
type Alone<Arguments extends readonly unknown[]> = Arguments extends unknown
  ? readonly [Exclude<Arguments[0], undefined>] extends Arguments
    ? Exclude<Arguments[0], undefined>
    : never
  : never;

type OptionsOf<Table> = { readonly [Name in keyof Table]?: ArgumentsOf<Table[Name]> | undefined };

/** Values for the options of a picture, by the options' full names: one value, or an array of arguments in their order. */
export type ProcessingOptions = OptionsOf<typeof OPEN_SOURCE_OPTIONS & typeof PRO_OPTIONS>;

/** Values for the options of an info URL. */
export type InfoOptions = OptionsOf<typeof INFO_OPTIONS>;
