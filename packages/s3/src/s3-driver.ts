import { setMaxListeners } from 'node:events';
import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import {
  assertEntryName,
  type CacheDriver,
  type CacheEntry,
  type CacheError,
  type CacheOperation,
  type DriverCheck,
  type DriverContext,
  type DriverEvent,
  decodeMetadata,
  encodeMetadata,
  isEntryName,
  OperationGuard,
  type OperationOptions,
  type StoredEntry,
  StreamedEntry,
} from '@imgproxy-cache/core/driver';
import { HttpTransport, type HttpTransportOptions } from '@imgproxy-cache/http-transport';
import type { Logger } from '@smithy/types';
import { awsEnvironmentOf, profileOf } from './credentials/aws-environment.js';
import { Credentials } from './credentials/credentials.js';
import { configuredRegion, ignoredRegion } from './region/configured-region.js';
import { BucketClients } from './requests/bucket-clients.js';
import { BucketRequests } from './requests/bucket-requests.js';
import type { S3Target } from './requests/endpoint.js';
import { NotS3Error } from './requests/failures.js';
import { corrupt, ObjectBody } from './requests/object-body.js';
import { ObjectDeletion } from './requests/object-deletion.js';
import type { ObjectAnswer } from './requests/objects.js';
import { isRefusedPermission, toCacheError } from './requests/s3-errors.js';
import { S3Check } from './s3-check.js';
import { type S3Config, targetOf } from './s3-config.js';

/** What a host may give the driver that no variable can. */
export type S3DriverOptions = Pick<HttpTransportOptions, 'lookup' | 'connect' | 'ca'>;

// The pauses between the attempts at a get take at most this share of the look-up timeout: a store that fails half of the
// time then delays no request by more.
const RETRY_SHARE = 1 / 16;

/** What {@link S3Driver} wraps around an operation. */
interface OperationParts<Result> {
  readonly operation: CacheOperation;
  readonly signal: AbortSignal | undefined;
  work(signal: AbortSignal): Promise<Result>;
  /** Receives a result that comes too late. */
  release?(late: Result): void;
  /** Of a `delete`: the names that may still be stored. */
  readonly remaining?: ReadonlySet<string>;
}

/** Entries as objects of one bucket, with their metadata beside them and the image's own content type. */
export class S3Driver implements CacheDriver {
  readonly #target: S3Target;
  readonly #transport: HttpTransport;
  readonly #credentials: Credentials;
  readonly #requests: BucketRequests;
  readonly #deletion: ObjectDeletion;
  readonly #check: S3Check;
  readonly #guard = new OperationGuard('s3');
  readonly #closing = new AbortController();
  /** Most time between the attempts at a get, in milliseconds. */
  readonly #longestLookupPause: number;

  constructor(config: S3Config, context: DriverContext, options: S3DriverOptions = {}) {
    const closing = this.#closing.signal;
    // Every pause listens to it, which Node.js 22 takes for a leak.
    setMaxListeners(0, closing);
    const target = targetOf(config);
    const logger = loggerOf(context);
    const env = awsEnvironmentOf(context.env ?? process.env);
    const region = (): Promise<string> => configuredRegion(config.region, env);
    const transport = new HttpTransport({
      ...options,
      clock: context.clock,
      maxConnections: config.maxSockets,
      connectTimeout: config.connectTimeout * 1000,
      responseTimeout: config.responseTimeout * 1000,
      silenceTimeout: config.idleTimeout * 1000,
      onCrowded: (waiting) => context.report(crowded(waiting, config.maxSockets)),
    });
    const credentials = new Credentials({ config, env, region, transport, logger, context, closing });
    const { useSdkCommands } = config;
    const profile = profileOf(env);
    const clients = new BucketClients({ target, profile, credentials, transport, logger, useSdkCommands });
    this.#target = target;
    this.#transport = transport;
    this.#credentials = credentials;
    this.#longestLookupPause =
      (context.lookupTimeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000 * RETRY_SHARE;
    this.#requests = new BucketRequests({
      target,
      clients,
      credentials,
      configuredRegion: region,
      context,
      closing,
    });
    this.#deletion = new ObjectDeletion(this.#requests, target.bucket, context);
    this.#check = new S3Check({
      driver: this,
      target,
      context,
      region: this.#requests.region,
      clients,
      ignoredRegion: ignoredRegion(config.region, env),
      askForAbsent: async (name, signal) => {
        const answer = await this.#getObject(name, signal);
        answer?.body.close();
      },
    });
  }

  get(name: string, { signal }: OperationOptions = {}): Promise<StoredEntry | undefined> {
    return this.#run({
      operation: 'get',
      signal,
      work: (running) => this.#read(name, running),
      release: (entry) => void entry?.discard(),
    });
  }

  put(name: string, entry: CacheEntry, { signal }: OperationOptions = {}): Promise<void> {
    return this.#run({ operation: 'put', signal, work: (running) => this.#write(name, entry, running) });
  }

  delete(names: readonly string[], { signal }: OperationOptions = {}): Promise<void> {
    const remaining = new Set(names);
    const work = async (running: AbortSignal): Promise<void> => {
      for (const name of remaining) assertEntryName(name);
      await this.#deletion.run(remaining, running);
    };
    return this.#run({ operation: 'delete', signal, work, remaining });
  }

  async *list(prefix: string, { signal }: OperationOptions = {}): AsyncGenerator<string, void, undefined> {
    let token: string | undefined;
    do {
      const page = await this.#run({
        operation: 'list',
        signal,
        work: (running) => this.#page(prefix, token, running),
      });
      for (const { Key } of page.Contents ?? []) {
        if (Key === undefined || !Key.startsWith(prefix) || !isEntryName(Key)) continue;
        yield Key;
        this.#guard.admit('list', signal);
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  check({ signal }: OperationOptions = {}): Promise<DriverCheck> {
    return this.#run({ operation: 'check', signal, work: (running) => this.#check.run(running) });
  }

  close(): Promise<void> {
    // Not awaited: an exchange of credentials may go on for a while.
    void this.#guard.close();
    this.#closing.abort();
    this.#credentials.close();
    this.#transport.close();
    return Promise.resolve();
  }

  async #run<Result>(parts: OperationParts<Result>): Promise<Result> {
    const { operation, signal, work, release, remaining } = parts;
    try {
      return await this.#guard.run(operation, signal, (running) => work(running.signal), release);
    } catch (thrown) {
      throw this.#toCacheError(thrown, operation, remaining);
    }
  }

  #toCacheError(thrown: unknown, operation: CacheOperation, remaining?: ReadonlySet<string>): CacheError {
    const failedNames = remaining && [...remaining];
    return toCacheError(thrown, { operation, target: this.#target, failedNames });
  }

  async #read(name: string, signal: AbortSignal): Promise<StoredEntry | undefined> {
    if (!isEntryName(name)) return undefined;
    const answer = await this.#find(name, signal);
    if (answer === undefined) return undefined;
    const { body, size } = answer;
    try {
      const metadata = decodeMetadata(answer.metadata);
      if (size !== undefined && size !== metadata.size) {
        throw corrupt(name, `it has ${size} bytes instead of ${metadata.size}`);
      }
      const toError = (thrown: unknown): CacheError => {
        this.#guard.admit('get', undefined);
        return this.#toCacheError(thrown, 'get');
      };
      return new StreamedEntry(metadata, new ObjectBody({ metadata, body, toCacheError: toError }));
    } catch (error) {
      body.close();
      throw error;
    }
  }

  async #find(name: string, signal: AbortSignal): Promise<ObjectAnswer | undefined> {
    try {
      return await this.#getObject(name, signal);
    } catch (thrown) {
      if (this.#check.absenceIsRefused && isRefusedPermission(thrown)) return undefined;
      throw thrown;
    }
  }

  #getObject(name: string, signal: AbortSignal): Promise<ObjectAnswer | undefined> {
    const longestWait = this.#longestLookupPause;
    return this.#requests.send((attempt) => attempt.objects.get(name, attempt), { signal, longestWait });
  }

  #write(name: string, { metadata, body }: CacheEntry, signal: AbortSignal): Promise<void> {
    assertEntryName(name);
    const content = { body, contentType: metadata.contentType, metadata: encodeMetadata(metadata) };
    return this.#requests.send((attempt) => attempt.objects.put(name, content, attempt), { signal });
  }

  async #page(
    prefix: string,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<ListObjectsV2CommandOutput> {
    const command = (): ListObjectsV2Command =>
      new ListObjectsV2Command({
        Bucket: this.#target.bucket,
        Prefix: prefix,
        ...(token !== undefined && { ContinuationToken: token }),
      });
    const page = await this.#requests.send(({ sdk, options }) => sdk.send(command(), options), { signal });
    const { IsTruncated, NextContinuationToken } = page;
    if (IsTruncated === true && (NextContinuationToken === undefined || NextContinuationToken === token)) {
      throw new NotS3Error('a listing that does not say how it goes on');
    }
    return page;
  }
}

function crowded(waiting: number, maxSockets: number): DriverEvent {
  const message = `${waiting} requests wait for one of ${maxSockets} connections: raise IMGPROXY_CACHE_S3_MAX_SOCKETS if that happens often`;
  return { kind: 'connections-exhausted', level: 'warn', message };
}

/** Turns the SDK's warnings into events. It would write them to the console. */
function loggerOf(context: DriverContext): Logger {
  const quiet = (): void => {};
  const warn = (message: unknown): void => {
    // What follows the name of an error came from a service.
    const text = String(message).replace(/\b\w*(?:Error|Exception)\b:.*/s, 'an error');
    context.report({ kind: 'sdk-warning', level: 'warn', message: `the AWS SDK warns: ${text}` });
  };
  return { debug: quiet, info: quiet, warn, error: quiet };
}
