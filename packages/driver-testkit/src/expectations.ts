import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import {
  type CacheDriver,
  type CacheEntry,
  type CacheError,
  type CacheErrorCode,
  type EntryMetadata,
  isCacheError,
  type OperationOptions,
  readVerified,
  type StoredEntry,
  verifyName,
} from '@imgproxy-cache/core/driver';

/** Fails with a sentence: `story: expected …, but …`. */
export function expectThat(condition: boolean, story: string, expected: string, but: string): void {
  assert.ok(condition, `${story}: expected ${expected}, but ${but}`);
}

/** A failure as part of a sentence. */
export function describeFailure(thrown: unknown): string {
  if (isCacheError(thrown)) return `${thrown.code} (${thrown.message})`;
  if (thrown instanceof Error) return `a ${thrown.name} that is not a CacheError (${thrown.message})`;
  return `something that is not even an Error (${String(thrown)})`;
}

/** The sentence for a failure of a step that prepares the test, such as the put before the tested get. */
export function unexpectedFailure(thrown: unknown): string {
  return `expected every step to succeed, but one failed with ${describeFailure(thrown)}`;
}

/** Gets the entry of a name. Fails with a sentence on a miss or an error. */
export async function expectHit(
  driver: CacheDriver,
  name: string,
  story: string,
  options?: OperationOptions,
): Promise<StoredEntry> {
  let found: StoredEntry | undefined;
  try {
    found = await driver.get(name, options);
  } catch (thrown) {
    assert.fail(`${story}: expected a hit, but get rejected with ${describeFailure(thrown)}`);
  }
  if (found === undefined) assert.fail(`${story}: expected a hit, but get was a miss`);
  return found;
}

export async function expectMiss(driver: CacheDriver, name: string, story: string): Promise<void> {
  let found: StoredEntry | undefined;
  try {
    found = await driver.get(name);
  } catch (thrown) {
    assert.fail(`${story}: expected a miss, but get rejected with ${describeFailure(thrown)}`);
  }
  await found?.discard();
  expectThat(found === undefined, story, 'a miss', 'get found an entry');
}

/** Checks that a name has exactly this entry. */
export async function expectEntry(
  driver: CacheDriver,
  name: string,
  entry: CacheEntry,
  story: string,
): Promise<void> {
  const found = await expectHit(driver, name, story);
  expectMetadata(found.metadata, entry.metadata, story);
  expectBody(await found.bytes(), entry.body, story);
}

export function expectMetadata(actual: EntryMetadata, expected: EntryMetadata, story: string): void {
  const same = isDeepStrictEqual({ ...actual }, { ...expected });
  expectThat(same, story, `the metadata ${JSON.stringify(expected)}`, `it is ${JSON.stringify(actual)}`);
}

export function expectBody(actual: Uint8Array, expected: Uint8Array, story: string): void {
  const { length } = expected;
  expectThat(actual.length === length, story, `a body of ${length} bytes`, `it has ${actual.length} bytes`);
  if (Buffer.compare(actual, expected) === 0) return;
  const index = actual.findIndex((byte, position) => byte !== expected[position]);
  assert.fail(
    `${story}: expected the body that was put, but byte ${index} of ${length} is ${actual[index]} instead of ${expected[index]}`,
  );
}

/**
 * Reads an entry as core does: checks name, size and CRC-32.
 * @returns `undefined` for a miss
 */
export async function readLikeCore(
  driver: CacheDriver,
  name: string,
): Promise<{ readonly metadata: EntryMetadata; readonly body: Uint8Array } | undefined> {
  const found = await driver.get(name);
  if (found === undefined) return undefined;
  try {
    verifyName(found.metadata, name);
    return { metadata: found.metadata, body: await readVerified(found) };
  } finally {
    await found.discard();
  }
}

/** @returns what the operation was rejected with. Fails with a sentence on success or any other error. */
export async function expectRejection(
  operation: () => Promise<unknown>,
  story: string,
  ...codes: readonly CacheErrorCode[]
): Promise<CacheError> {
  const expected = codes.length === 0 ? 'a CacheError' : codes.join(' or ');
  let outcome: unknown;
  try {
    outcome = await operation();
  } catch (thrown) {
    if (isCacheError(thrown) && (codes.length === 0 || codes.includes(thrown.code))) return thrown;
    assert.fail(`${story}: expected ${expected}, but it was ${describeFailure(thrown)}`);
  }
  return assert.fail(
    `${story}: expected ${expected}, but it succeeded${outcome === undefined ? '' : ' with a result'}`,
  );
}

/** Checks the outcome of an operation that was aborted while it ran. */
export function expectDoneOrAborted(outcome: PromiseSettledResult<unknown>, story: string): void {
  if (outcome.status === 'fulfilled') return;
  const { reason } = outcome;
  const aborted = isCacheError(reason) && reason.code === 'ERR_CACHE_ABORTED';
  expectThat(aborted, story, 'success or ERR_CACHE_ABORTED', `it was ${describeFailure(reason)}`);
}

/** All names below a prefix, sorted. */
export async function listed(
  driver: CacheDriver,
  prefix: string,
  options?: OperationOptions,
): Promise<string[]> {
  return (await collect(driver.list(prefix, options))).sort();
}

export async function expectList(
  driver: CacheDriver,
  prefix: string,
  names: readonly string[],
  story: string,
): Promise<void> {
  const actual = await listed(driver, prefix);
  const expected = [...names].sort();
  if (isDeepStrictEqual(actual, expected)) return;
  const missing = expected.filter((name) => !actual.includes(name));
  const surplus = actual.filter((name, index) => !expected.includes(name) || actual[index - 1] === name);
  assert.fail(
    `${story}: expected list to yield ${expected.length} names, but it yielded ${actual.length}; ` +
      `missing: ${enumerated(missing)}; surplus or repeated: ${enumerated(surplus)}`,
  );
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

function enumerated(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
}
