import { DeleteObjectCommand, DeleteObjectsCommand } from '@aws-sdk/client-s3';
import type { DriverContext } from '@imgproxy-cache/core/driver';
import type { BucketRequests } from './bucket-requests.js';
import { isNoSuchKey, StoreError } from './failures.js';

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
const MAX_NAMES = 1000;
const CONCURRENCY = 8;

/** Codes of stores that want another checksum, which others refuse, or do not have the request at all. */
const UNSUPPORTED_CODES: ReadonlySet<string> = new Set([
  'InvalidRequest',
  'InvalidArgument',
  'InvalidDigest',
  'BadDigest',
  'MissingContentMD5',
  'MissingContentLength',
  'MalformedXML',
  'NotImplemented',
  'MethodNotAllowed',
  'XAmzContentSHA256Mismatch',
]);
const UNSUPPORTED_STATUSES: ReadonlySet<number> = new Set([405, 501]);

/** Deletes objects, many in one request. If the store refuses such requests, one by one from then on. */
export class ObjectDeletion {
  readonly #requests: BucketRequests;
  readonly #bucket: string;
  readonly #context: DriverContext;
  #oneByOne = false;

  constructor(requests: BucketRequests, bucket: string, context: DriverContext) {
    this.#requests = requests;
    this.#bucket = bucket;
    this.#context = context;
  }

  /**
   * Deletes all it can, and removes their names from `remaining`.
   * @throws the first failure, after everything was tried
   */
  async run(remaining: Set<string>, signal: AbortSignal): Promise<void> {
    const names = [...remaining];
    const failures: unknown[] = [];
    for (let start = 0; start < names.length; start += MAX_NAMES) {
      signal.throwIfAborted();
      try {
        await this.#deletePart(names.slice(start, start + MAX_NAMES), remaining, signal);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #deletePart(names: readonly string[], remaining: Set<string>, signal: AbortSignal): Promise<void> {
    if (!this.#oneByOne && names.length > 1) {
      try {
        return await this.#deleteTogether(names, remaining, signal);
      } catch (error) {
        if (!isUnsupported(error)) throw error;
        this.#oneByOne = true;
        this.#context.report({
          kind: 'multi-delete-refused',
          level: 'info',
          message: `the store of the bucket ${this.#bucket} refuses DeleteObjects: objects are deleted one by one from now on`,
        });
      }
    }
    await this.#deleteEach(names, remaining, signal);
  }

  async #deleteTogether(
    names: readonly string[],
    remaining: Set<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const { Deleted = [], Errors = [] } = await this.#requests.send(
      ({ sdk, options }) =>
        sdk.send(
          new DeleteObjectsCommand({
            Bucket: this.#bucket,
            Delete: { Objects: names.map((Key) => ({ Key })) },
          }),
          options,
        ),
      { signal },
    );
    for (const { Key } of Deleted) if (Key !== undefined) remaining.delete(Key);
    for (const { Key, Code } of Errors) {
      if (Key !== undefined && Code === 'NoSuchKey') remaining.delete(Key);
    }
    // What failed in the batch is deleted one by one, up to the first that fails again: its answer says why.
    for (const name of names.filter((candidate) => remaining.has(candidate))) {
      await this.#deleteOne(name, signal);
      remaining.delete(name);
    }
  }

  async #deleteEach(names: readonly string[], remaining: Set<string>, signal: AbortSignal): Promise<void> {
    const failures: unknown[] = [];
    const queue = names.values();
    const deleteQueued = async (): Promise<void> => {
      for (const name of queue) {
        signal.throwIfAborted();
        try {
          await this.#deleteOne(name, signal);
          remaining.delete(name);
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, deleteQueued));
    if (failures.length > 0) throw failures[0];
  }

  async #deleteOne(name: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#requests.send(
        ({ sdk, options }) => sdk.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: name }), options),
        { signal },
      );
    } catch (error) {
      if (!isNoSuchKey(error)) throw error;
    }
  }
}

function isUnsupported(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    (UNSUPPORTED_CODES.has(error.name) || UNSUPPORTED_STATUSES.has(error.status))
  );
}
