import fc from 'fast-check';

// Few, so that operations overlap.
const NAMES = 5;
const SIZES = [0, 1, 900, 5000, 150_000];

/** One operation of a run against the model. Names are numbers, versions of entries are given at the run. */
export type ModelOperation =
  | { readonly kind: 'put'; readonly name: number; readonly size: number; readonly aborted: boolean }
  | { readonly kind: 'get'; readonly name: number; readonly read: 'bytes' | 'stream' | 'discard' }
  | { readonly kind: 'delete'; readonly names: readonly number[]; readonly aborted: boolean }
  | { readonly kind: 'list' };

/** Operations that begin at the same time; the next batch begins when all have ended. */
export type ModelBatch = readonly ModelOperation[];

const name = fc.nat(NAMES - 1);
// One in four.
const aborted = fc.nat(3).map((drawn) => drawn === 3);

const put = fc.record({
  kind: fc.constant('put' as const),
  name,
  size: fc.constantFrom(...SIZES),
  aborted,
});
const get = fc.record({
  kind: fc.constant('get' as const),
  name,
  read: fc.constantFrom('bytes' as const, 'stream' as const, 'discard' as const),
});
const remove = fc.record({
  kind: fc.constant('delete' as const),
  names: fc.uniqueArray(name, { maxLength: 3 }),
  aborted,
});
const list = fc.record({ kind: fc.constant('list' as const) });

/** Runs of a driver that may lack operations. */
export function modelRuns(offers: {
  readonly delete: boolean;
  readonly list: boolean;
}): fc.Arbitrary<ModelBatch[]> {
  const operation: fc.Arbitrary<ModelOperation> = fc.oneof(
    { weight: 4, arbitrary: put },
    { weight: 4, arbitrary: get },
    { weight: offers.delete ? 2 : 0, arbitrary: remove },
    { weight: offers.list ? 1 : 0, arbitrary: list },
  );
  const batch = fc.array(operation, { minLength: 1, maxLength: 6 });
  return fc.array(batch, { minLength: 10, maxLength: 25, size: 'max' });
}

/** An operation as the report shows it. */
export function describeOperation(operation: ModelOperation): string {
  switch (operation.kind) {
    case 'put':
      return `put ${operation.name} (${operation.size} bytes${operation.aborted ? ', aborted' : ''})`;
    case 'get':
      return `get ${operation.name} (${operation.read})`;
    case 'delete':
      return `delete [${operation.names}]${operation.aborted ? ' (aborted)' : ''}`;
    case 'list':
      return 'list';
  }
}
