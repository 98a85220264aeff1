import type { DriverEvent } from '@imgproxy-cache/core/driver';
import type { HttpAnswer } from '@imgproxy-cache/http-transport';
import { field, items, parsedJson, text } from '../json-document.js';
import type { ContainerPresence } from './container-presence.js';
import { type ContainerRequests, encodedPath, statusOf } from './container-requests.js';
import { isOfSwift, NotSwiftError, statusError } from './failures.js';
import { judgeFailure } from './retries.js';

// Swift takes 10,000, and deletes them one by one before it has answered: few enough for its slower clusters.
const MAX_NAMES = 500;
const CONCURRENCY = 8;
const ANSWER_LIMITS = { maxBytes: 4 * 1024 * 1024, timeout: 600_000 };

/** What {@link ObjectDeletion} needs. */
export interface ObjectDeletionParts {
  readonly requests: ContainerRequests;
  readonly presence: ContainerPresence;
  readonly container: string;
  report(event: DriverEvent): void;
}

/** Deletes objects, many in one request; at a store without bulk deletion one by one from then on. */
export class ObjectDeletion {
  readonly #parts: ObjectDeletionParts;
  #oneByOne = false;

  constructor(parts: ObjectDeletionParts) {
    this.#parts = parts;
  }

  /**
   * Deletes all that can be deleted, and takes it out of `remaining`.
   * @throws the first failure, after everything was tried
   */
  async run(remaining: Set<string>, signal: AbortSignal): Promise<void> {
    const names = [...remaining];
    let failure: { readonly error: unknown } | undefined;
    for (let start = 0; start < names.length; start += MAX_NAMES) {
      signal.throwIfAborted();
      try {
        await this.#deletePart(names.slice(start, start + MAX_NAMES), remaining, signal);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  async #deletePart(names: readonly string[], remaining: Set<string>, signal: AbortSignal): Promise<void> {
    if (this.#oneByOne || names.length === 1) return await this.#deleteEach(names, remaining, signal);
    const result = await this.#deleteTogether(names, signal);
    if (result === undefined) {
      this.#oneByOne = true;
      const message = 'the store has no bulk deletion: objects are deleted one by one from now on';
      this.#parts.report({ kind: 'bulk-delete-refused', level: 'info', message });
      return await this.#deleteEach(names, remaining, signal);
    }
    for (const name of names) remaining.delete(name);
    for (const name of result.failed) remaining.add(name);
    if (result.absent) await this.#parts.presence.assert();
    // What failed together is tried by itself: the answer says why.
    await this.#deleteEach(result.failed, remaining, signal);
  }

  /** @returns `undefined` where the store has no bulk deletion */
  #deleteTogether(names: readonly string[], signal: AbortSignal): Promise<BulkResult | undefined> {
    const { requests, container } = this.#parts;
    const lines = names.map((name) => `${encodedPath(`${container}/${name}`)}\n`).join('');
    const headers = { 'content-type': 'text/plain', accept: 'application/json' };
    return requests.send(
      { method: 'POST', path: '?bulk-delete', headers, body: Buffer.from(lines) },
      (answer) => readBulk(answer, container, names),
      { signal },
    );
  }

  async #deleteEach(names: readonly string[], remaining: Set<string>, signal: AbortSignal): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    const queue = names.values();
    const deleteQueued = async (): Promise<void> => {
      for (const name of queue) {
        signal.throwIfAborted();
        try {
          await this.#deleteOne(name, signal);
          remaining.delete(name);
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, names.length) }, deleteQueued));
    if (failure !== undefined) throw failure.error;
  }

  async #deleteOne(name: string, signal: AbortSignal): Promise<void> {
    const { requests, presence, container } = this.#parts;
    const status = await requests.send(
      { method: 'DELETE', path: `/${encodedPath(`${container}/${name}`)}` },
      async (answer) => {
        const accepted = await statusOf(answer, [200, 204, 404]);
        if (isOfSwift(answer.headers)) return accepted;
        throw new NotSwiftError(`status ${accepted} without Swift's headers`);
      },
      { signal },
    );
    if (status === 404) await presence.assert();
    else presence.confirm();
  }
}

interface BulkResult {
  /** The names that may still be there. */
  readonly failed: readonly string[];
  /** Whether some were absent. */
  readonly absent: boolean;
}

// Refusals that say nothing of what the store can do.
const NOT_OF_BULK: ReadonlySet<number> = new Set([401, 408, 413, 429, 498, 499]);

async function readBulk(
  answer: HttpAnswer,
  container: string,
  names: readonly string[],
): Promise<BulkResult | undefined> {
  const { status, headers, body } = answer;
  if (status !== 200) {
    const error = await statusError(answer);
    // Without the middleware it is a request about the account, which succeeds without a body or is refused.
    const unknown = status < 300 || (status >= 400 && status < 500 && !NOT_OF_BULK.has(status));
    if (unknown && judgeFailure(error) === undefined) return undefined;
    throw error;
  }
  const { bytes, whole } = await body.read(ANSWER_LIMITS);
  const document = whole ? parsedJson(bytes) : undefined;
  const deleted = field(document, 'Number Deleted');
  const absent = field(document, 'Number Not Found');
  if (!isOfSwift(headers) || typeof deleted !== 'number' || typeof absent !== 'number') {
    throw new NotSwiftError('a bulk deletion without its result');
  }
  const refused = new Set(items(field(document, 'Errors')).map((error) => pathOf(items(error)[0])));
  const failed = names.filter((name) => refused.has(`${container}/${name}`));
  const complete = deleted + absent + failed.length === names.length;
  return { failed: complete ? failed : names, absent: absent > 0 };
}

function pathOf(quoted: unknown): string {
  try {
    return decodeURIComponent(text(quoted) ?? '').replace(/^\//, '');
  } catch {
    return '';
  }
}
