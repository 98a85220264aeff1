import assert, { AssertionError } from 'node:assert/strict';
import type { CacheEntry } from '@imgproxy-cache/core/driver';
import fc from 'fast-check';
import {
  collect,
  expectBody,
  expectDoneOrAborted,
  expectMetadata,
  expectThat,
  listed,
  unexpectedFailure,
} from '../expectations.js';
import type { RuleBench } from '../rule-bench.js';
import { versionedEntry } from '../sample-entries.js';
import { ABSENT, NameModel, type Version } from './entry-model.js';
import { describeOperation, type ModelBatch, type ModelOperation, modelRuns } from './model-operations.js';

const RUNS = 12;
// A failure that depends on timing can be shrunk for ever.
const TIME_LIMIT_MS = 12_000;

/** Tests a driver against the model. fast-check generates, shrinks and repeats the runs. */
export async function proveAgainstModel(bench: RuleBench): Promise<void> {
  let runs = 0;
  const property = fc.asyncProperty(modelRuns(bench.can), async (batches) => {
    const run = new ModelRun(bench, bench.name(`run-${runs++}`));
    for (const batch of batches) await run.perform(batch);
  });
  const { replay } = bench;
  const found = await fc.check(property, {
    numRuns: RUNS,
    interruptAfterTimeLimit: TIME_LIMIT_MS,
    ...replay,
  });
  if (found.failed) assert.fail(describeRun(found));
}

function describeRun({
  errorInstance,
  seed,
  counterexamplePath,
  counterexample,
}: fc.RunDetails<[ModelBatch[]]>) {
  const failure =
    errorInstance instanceof AssertionError ? errorInstance.message : unexpectedFailure(errorInstance);
  const batches = counterexample?.[0] ?? [];
  return [
    failure,
    `To repeat it, give the subject replay: ${JSON.stringify({ seed, path: counterexamplePath })}`,
    'What led to it, one line for operations that began together:',
    ...batches.map((batch) => `  ${batch.map(describeOperation).join(', ')}`),
  ].join('\n');
}

class ModelRun {
  readonly #bench: RuleBench;
  readonly #prefix: string;
  readonly #models = new Map<string, NameModel>();
  // An aborted write may still reach the store after its rejection, so its name is not used again.
  readonly #unsettled = new Set<string>();
  readonly #entries = new Map<Version, CacheEntry>();

  constructor(bench: RuleBench, prefix: string) {
    this.#bench = bench;
    this.#prefix = prefix;
  }

  async perform(batch: ModelBatch): Promise<void> {
    for (const model of this.#models.values()) model.begin();
    await Promise.all(batch.map((operation) => this.#start(operation)));
    await this.#settle(batch.map(({ kind }) => kind).join(', '));
  }

  async #start(operation: ModelOperation): Promise<void> {
    const { driver } = this.#bench;
    switch (operation.kind) {
      case 'put': {
        const name = this.#nameOf(operation.name);
        const entry = versionedEntry(name, this.#entries.size + 1, operation.size);
        const version = entry.metadata.created;
        this.#entries.set(version, entry);
        this.#modelOf(name).put(version, !operation.aborted);
        const write = (signal: AbortSignal | undefined) => driver.put(name, entry, { signal });
        if (await wasAborted('put', operation.aborted, write)) this.#unsettled.add(name);
        return;
      }
      case 'delete': {
        const names = operation.names.map((name) => this.#nameOf(name));
        for (const name of names) this.#modelOf(name).delete(!operation.aborted);
        const remove = (signal: AbortSignal | undefined) => driver.delete(names, { signal });
        if (await wasAborted('delete', operation.aborted, remove)) {
          for (const name of names) this.#unsettled.add(name);
        }
        return;
      }
      case 'get': {
        const name = this.#nameOf(operation.name);
        const before = this.#modelOf(name).visible;
        const found = await this.#find(name, operation.read);
        const allowed = new Set([...before, ...this.#modelOf(name).visible]);
        this.#expectAllowed(found, allowed, `get of ${name} while other operations run`);
        return;
      }
      case 'list': {
        const names = await listed(driver, this.#prefix);
        const story = 'list while other operations run';
        const surplus = names.filter((name) => !this.#models.has(name) && !this.#unsettled.has(name));
        expectThat(surplus.length === 0, story, 'names that were put', `it gave ${surplus}`);
        const stayed = [...this.#models].filter(([, model]) => !model.visible.has(ABSENT));
        const lacking = stayed.map(([name]) => name).filter((name) => !names.includes(name));
        expectThat(lacking.length === 0, story, 'all names that nobody deletes', `it lacks ${lacking}`);
      }
    }
  }

  /** Checks the stored versions once no operation is under way. */
  async #settle(story: string): Promise<void> {
    const present: string[] = [];
    for (const [name, model] of this.#models) {
      const found = await this.#find(name, 'bytes');
      this.#expectAllowed(found, model.final, `get of ${name} after ${story}`);
      if (this.#unsettled.has(name)) {
        this.#models.delete(name);
        continue;
      }
      model.settle(found);
      if (found !== ABSENT) present.push(name);
    }
    if (!this.#bench.can.list) return;
    const all = await listed(this.#bench.driver, this.#prefix);
    const names = all.filter((name) => !this.#unsettled.has(name));
    const same = names.join() === present.sort().join();
    expectThat(same, `list after ${story}`, `[${present}]`, `it gave [${names}]`);
  }

  /** Reads an entry, and compares it with the version in its metadata. */
  async #find(name: string, read: 'bytes' | 'stream' | 'discard'): Promise<Version> {
    const found = await this.#bench.driver.get(name);
    if (found === undefined) return ABSENT;
    const version = found.metadata.created;
    const entry = this.#entries.get(version);
    if (entry === undefined) throw new Error(`get of ${name} found version ${version}, which nobody put`);
    expectMetadata(found.metadata, entry.metadata, `get of ${name}`);
    if (read === 'discard') await found.discard();
    else if (read === 'bytes') expectBody(await found.bytes(), entry.body, `get of ${name}`);
    else expectBody(Buffer.concat(await collect(found.stream())), entry.body, `get of ${name} as a stream`);
    return version;
  }

  #expectAllowed(found: Version, allowed: ReadonlySet<Version>, story: string): void {
    const titles = [...allowed].map(titleOf).join(' or ');
    expectThat(allowed.has(found), story, titles, `it found ${titleOf(found)}`);
  }

  #nameOf(number: number): string {
    let name = `${this.#prefix}/${number}`;
    while (this.#unsettled.has(name)) name += '-';
    return name;
  }

  #modelOf(name: string): NameModel {
    const model = this.#models.get(name) ?? new NameModel();
    this.#models.set(name, model);
    return model;
  }
}

/** @returns whether the operation failed with ERR_CACHE_ABORTED */
async function wasAborted(
  title: string,
  aborted: boolean,
  operation: (signal: AbortSignal | undefined) => Promise<void>,
): Promise<boolean> {
  if (!aborted) {
    await operation(undefined);
    return false;
  }
  const controller = new AbortController();
  const [outcome] = await Promise.all([
    Promise.allSettled([operation(controller.signal)]),
    controller.abort(),
  ]);
  const [result] = outcome;
  expectDoneOrAborted(result, `an aborted ${title}`);
  return result.status === 'rejected';
}

function titleOf(version: Version): string {
  return version === ABSENT ? 'nothing' : `version ${version}`;
}
