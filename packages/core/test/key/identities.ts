import {
  CacheKeyBuilder,
  type ImageIdentity,
  type KeySettings,
  type NegotiableFormat,
} from '@imgproxy-cache/core';
import fc from 'fast-check';

/** A request together with the operator's settings: all that a key is made of. */
export interface KeyInput {
  readonly settings: KeySettings;
  readonly identity: ImageIdentity;
}

export function nameOf({ settings, identity }: KeyInput): string {
  return new CacheKeyBuilder(settings).build(identity).name;
}

/** What makes an image another one, written independently of how keys are made. */
export function meaningOf({ settings, identity }: KeyInput): string {
  const { source, options = [], format = null, negotiated } = identity;
  const pairs = (list: readonly (readonly [string, string])[]) => list.filter(([name]) => name !== 'expires');
  return JSON.stringify({
    namespace: settings.namespace ?? '',
    source: Buffer.from(source as string).toString('hex'),
    options: 'pipelines' in options ? { pipelines: options.pipelines.map(pairs) } : pairs(options),
    format,
    negotiated: negotiated === undefined ? null : [...new Set(negotiated)].sort(),
    headers: distinct((settings.headers ?? []).map((name) => name.toLowerCase())).map((wanted) => [
      wanted,
      Object.entries(identity.headers ?? {})
        .filter(([name, value]) => value !== undefined && name.toLowerCase() === wanted)
        .flatMap(([, value]) => value),
    ]),
    cookies: distinct(settings.cookies ?? []).map((wanted) => [
      wanted,
      Object.entries(identity.cookies ?? {}).filter(([name]) => name === wanted),
    ]),
  });
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => name !== '');
}

// Few letters, so that two inputs are often nearly equal; among them those that a careless key would use to
// separate its parts or to write their lengths.
const letters = [
  'a',
  'B',
  's',
  'b',
  'n',
  'l',
  '0',
  '1',
  '2',
  ':',
  '/',
  ',',
  ';',
  '=',
  ' ',
  '\0',
  'é',
  '😀',
] as const;
export const text = fc.string({ unit: fc.constantFrom(...letters), maxLength: 4 });
const bytes = fc.uint8Array({ maxLength: 3 });
const pair = fc.tuple(fc.oneof(text, fc.constantFrom('width', 'expires')), text);
const pairs = fc.array(pair, { maxLength: 3 });
const headerName = fc.constantFrom('accept', 'Accept', 'x-a', 'X-A', 'x-b', '');
const cookieName = fc.constantFrom('a', 'A', 'b', '');

/** Any request under any settings. */
export const keyInput: fc.Arbitrary<KeyInput> = fc.record({
  settings: fc.record(
    {
      namespace: text,
      headers: fc.array(headerName, { maxLength: 3 }),
      cookies: fc.array(cookieName, { maxLength: 3 }),
    },
    { requiredKeys: [] },
  ),
  identity: fc.record(
    {
      source: fc.oneof(text, bytes),
      options: fc.oneof(pairs, fc.record({ pipelines: fc.array(pairs, { maxLength: 3 }) })),
      format: text,
      negotiated: fc.array(fc.constantFrom<NegotiableFormat>('avif', 'jxl', 'webp'), { maxLength: 3 }),
      headers: fc.dictionary(headerName, fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })), {
        maxKeys: 3,
      }),
      cookies: fc.dictionary(cookieName, text, { maxKeys: 3 }),
    },
    { requiredKeys: ['source', 'headers', 'cookies'] },
  ),
});

// Text as a careless key would write its parts, with and without lengths.
const forgedParts = fc.array(
  fc.constantFrom(
    'a',
    's',
    'n',
    '1',
    ':',
    's:',
    's0:',
    's1:',
    'l:',
    'l0:',
    'l1:',
    '\0',
    '\0s',
    ',',
    ';',
    '=',
    ' ',
  ),
  { maxLength: 8 },
);

type Slot = 'namespace' | 'options' | 'pipelines' | 'format' | 'header' | 'lines' | 'cookie';

/** Puts the pieces of a text, in their order, into the parts of a key. */
function distributed(pieces: readonly string[], slots: readonly Slot[]): KeyInput {
  const at = (wanted: Slot) => pieces.filter((_, index) => slots[index % slots.length] === wanted);
  const joined = (slot: Slot) => (at(slot).length === 0 ? undefined : at(slot).join(''));
  const pipelines = at('pipelines').map((piece) => inPairs([piece]));
  const cookie = joined('cookie');
  return {
    settings: { namespace: joined('namespace') ?? '', headers: ['x-a', 'x-b'], cookies: ['a', 'b'] },
    identity: {
      source: 'https://example.com/cat.jpg',
      options: pipelines.length > 0 ? { pipelines } : inPairs(at('options')),
      format: joined('format'),
      headers: { 'x-a': joined('header'), 'x-b': at('lines') },
      ...(cookie !== undefined && { cookies: { a: cookie } }),
    },
  };
}

function inPairs(pieces: readonly string[]): [string, string][] {
  return pieces.flatMap((name, index) => (index % 2 === 0 ? [[name, pieces[index + 1] ?? '']] : []));
}

const layout = fc.array(
  fc.constantFrom<Slot>(
    'options',
    'options',
    'namespace',
    'pipelines',
    'format',
    'header',
    'lines',
    'cookie',
  ),
  { minLength: 1, maxLength: 4 },
);

/** Two requests whose parts hold the same text, cut and distributed in two ways. */
export const sameTextInOtherParts: fc.Arbitrary<readonly [KeyInput, KeyInput]> = fc
  .record({
    whole: forgedParts.map((parts) => parts.join('')),
    left: fc.array(fc.nat(24), { minLength: 1, maxLength: 4 }),
    right: fc.array(fc.nat(24), { minLength: 1, maxLength: 4 }),
    layouts: fc.oneof(
      layout.map((slots) => [slots, slots] as const),
      fc.tuple(layout, layout),
    ),
  })
  .map(({ whole, left, right, layouts }) => [
    distributed(cut(whole, left), layouts[0]),
    distributed(cut(whole, right), layouts[1]),
  ]);

function cut(whole: string, positions: readonly number[]): string[] {
  const ends = [...positions.map((position) => position % (whole.length + 1)), whole.length].sort(
    (a, b) => a - b,
  );
  return ends.map((end, index) => whole.slice(ends[index - 1] ?? 0, end));
}
