import type { ByteString } from '../byte-string.js';
import {
  assertAtMost,
  canonicalArgument,
  type EffectiveOptions,
  type OptionRule,
  writeAll,
  written,
} from './option-definition.js';
import { type OptionValue, TEXT } from './option-value.js';

/** One argument, kept under the option's name. */
export function single<Argument>(value: OptionValue<Argument>): OptionRule<readonly [value: Argument]> {
  return {
    read: (name, args, options) => {
      assertAtMost(1, name, args);
      options.set(name, canonicalArgument(name, value, args[0] ?? ''));
    },
    write: ([argument]) => [written(value, argument)],
  };
}

/** One argument; an empty one takes the option away. */
export function deletable<Argument>(value: OptionValue<Argument>): OptionRule<readonly [value: Argument]> {
  const { read, write } = single(value);
  return {
    read: (name, args, options, context) => {
      if (args.length === 1 && args[0] === '') options.delete(name);
      else read(name, args, options, context);
    },
    write,
  };
}

/** What an argument that is empty or absent does: it is wrong, leaves what was set before, or takes it away. */
type WhenEmpty = 'refuse' | 'keep' | 'delete';

/** An argument at its place: what is added to the option's name to keep it, its kind, and what an empty one does. */
export interface PlacedArgument<Argument = unknown> {
  readonly key: string;
  readonly value: OptionValue<Argument>;
  readonly whenEmpty: WhenEmpty;
}

export function required<Argument>(key: string, value: OptionValue<Argument>): PlacedArgument<Argument> {
  return { key, value, whenEmpty: 'refuse' };
}

export function optional<Argument>(key: string, value: OptionValue<Argument>): PlacedArgument<Argument> {
  return { key, value, whenEmpty: 'keep' };
}

export function clearing<Argument>(key: string, value: OptionValue<Argument>): PlacedArgument<Argument> {
  return { key, value, whenEmpty: 'delete' };
}

/** The values for arguments at their places; all but the first may be left out. */
export type Placed<Places extends readonly PlacedArgument<never>[]> = Partial<{
  readonly [Place in keyof Places]: Places[Place] extends PlacedArgument<infer Argument>
    ? Argument | undefined
    : never;
}>;

/** Arguments at places, each kept under a name of its own. */
export function placed<const Places extends readonly PlacedArgument<never>[]>(
  places: Places,
  atMost: number = places.length,
): OptionRule<Placed<Places>> {
  return {
    read: (name, args, options) => {
      assertAtMost(atMost, name, args);
      readPlaces(places, name, args, options);
    },
    write: (values) => places.map(({ value }, place) => written(value, values[place])),
  };
}

/** Arguments at places, then any number of one kind, all of which are kept together. */
export function placedThenList<const Places extends readonly PlacedArgument<never>[], Argument>(
  places: Places,
  key: string,
  value: OptionValue<Argument>,
): OptionRule<readonly [...Placed<Places>, ...Argument[]]> {
  return {
    read: (name, args, options) => {
      readPlaces(places, name, args, options);
      const rest = args.slice(places.length).filter((argument) => argument !== '');
      const values = rest.map((argument) => canonicalArgument(name + key, value, argument));
      // Without any, all are meant, and none that was named before.
      if (values.length === 0) options.delete(name + key);
      else options.set(name + key, values.join('/'));
    },
    write: (values: readonly unknown[]) =>
      values.map((argument, place) => written(places[place]?.value ?? value, argument)),
  };
}

function readPlaces(
  places: readonly PlacedArgument<never>[],
  name: string,
  args: readonly ByteString[],
  options: EffectiveOptions,
): void {
  for (let place = 0; place < places.length; place++) {
    const { key, value, whenEmpty } = places[place] as PlacedArgument<never>;
    const argument = args[place];
    if (argument !== undefined && (argument !== '' || whenEmpty === 'refuse'))
      options.set(name + key, canonicalArgument(name + key, value, argument));
    else if (whenEmpty === 'delete') options.delete(name + key);
  }
}

/** All arguments in their order, with slashes, which none of them can have: for options whose parts mean nothing alone. */
export const VERBATIM: OptionRule<readonly (string | number | boolean)[]> = {
  read: (name, args, options) => {
    options.set(name, canonicalArgument(name, TEXT, args.join('/')));
  },
  write: writeAll,
};

/**
 * An option that stands for others: each argument that is not empty goes to the one at its place, and all from the last
 * place on to the last one.
 */
export function meta<Arguments extends readonly unknown[]>(
  names: readonly string[],
  atMost: number,
  writes: OptionRule<Arguments>['write'],
): OptionRule<Arguments> {
  const last = names.length - 1;
  return {
    read: (name, args, _, context) => {
      assertAtMost(atMost, name, args);
      for (let place = 0; place < names.length && place < args.length; place++) {
        if (args[place] === '') continue;
        context.apply(names[place] ?? '', args.slice(place, place === last ? undefined : place + 1));
      }
    },
    write: writes,
  };
}
