import { setMaxListeners } from 'node:events';
import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import {
  assertEntryName,
  type CacheDriver,
  type CacheEntry,
  type CacheOperation,
  type DriverCheck,
  type DriverContext,
  type DriverEvent,
  decodeMetadata,
  type Environment,
  encodeMetadata,
  isEntryName,
  type OperationOptions,
  type StoredEntry,
  StreamedEntry,
} from '@imgproxy-cache/core/driver';
import { HttpTransport, type HttpTransportOptions, Retries } from '@imgproxy-cache/http-transport';
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS } from '@smithy/core/config';
import type { Logger } from '@smithy/types';
import { NotS3Error } from './answer-reading.js';
import { awsEnvironmentOf, profileOf, variableOf } from './aws-environment.js';
import { BucketRequests } from './bucket-requests.js';
import { Credentials } from './credentials.js';
import { parseEndpoint, type S3Target } from './endpoint.js';
import { ObjectDeletion } from './object-deletion.js';
import type { ObjectAnswer, ObjectMissing } from './object-requests.js';
import { Operations } from './operations.js';
import { RegionalClients } from './regional-clients.js';
import { sdkRetries } from './retries.js';
import { S3Check } from './s3-check.js';
import type { S3Config } from './s3-config.js';
import { isNoSuchKey, isRefusedRight, s3Error, toCacheError } from './s3-errors.js';
import { corrupt, StoredObject } from './stored-object.js';

/** What a host may give the driver that no variable can. */
export type S3DriverOptions = Pick<HttpTransportOptions, 'lookup' | 'connect' | 'ca'>;

// Of the look-up timeout: how much of it the pauses between attempts may take. A store that fails half of the time then
// delays no request by more than that.
const RETRY_SHARE = 1 / 16;
const DEFAULT_REGION = 'us-west-1';

/** Entries as objects of one bucket, with their metadata beside them and the image's own content type. */
export class S3Driver implements CacheDriver {
  readonly #target: S3Target;
  readonly #transport: HttpTransport;
  readonly #credentials: Credentials;
  readonly #requests: BucketRequests;
  readonly #deletion: ObjectDeletion;
  readonly #check: S3Check;
  readonly #operations = new Operations();
  readonly #closing = new AbortController();

  constructor(config: S3Config, context: DriverContext, options: S3DriverOptions = {}) {
    const { clock, lookupTimeoutSeconds } = context;
    // Every wait of the SDK's listens to it, which Node.js 22 takes for a leak.
    setMaxListeners(0, this.#closing.signal);
    const report: DriverContext['report'] = (event) => context.report(event);
    this.#target = targetOf(config);
    const logger = loggerOf(report);
    this.#transport = new HttpTransport({
      ...options,
      clock,
      maxConnections: config.maxSockets,
      connectTimeout: config.connectTimeout * 1000,
      responseTimeout: config.responseTimeout * 1000,
      silenceTimeout: config.idleTimeout * 1000,
      onCrowded: (waiting) => report(crowded(waiting, config.maxSockets)),
    });
    const env = awsEnvironmentOf(context.env ?? process.env);
    const configuredRegion = (): Promise<string> => regionOf(config.region, env);
    this.#credentials = new Credentials({
      env,
      role:
        config.assumeRoleArn === ''
          ? undefined
          : { arn: config.assumeRoleArn, externalId: config.assumeRoleExternalId },
      region: configuredRegion,
      transport: this.#transport,
      retries: sdkRetries(new Retries(), this.#closing.signal),
      logger,
      report,
      clock,
    });
    const clients = new RegionalClients({
      target: this.#target,
      profile: profileOf(env),
      credentials: this.#credentials,
      transport: this.#transport,
      // One budget of retries for all regions.
      retries: new Retries(),
      longestLookupPause: (lookupTimeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000 * RETRY_SHARE,
      logger,
      useSdkCommands: config.useSdkCommands,
      closing: this.#closing.signal,
    });
    this.#requests = new BucketRequests({
      target: this.#target,
      clients,
      credentials: this.#credentials,
      configuredRegion,
      report,
      clock,
      closing: this.#closing.signal,
    });
    this.#deletion = new ObjectDeletion(this.#requests, this.#target.bucket, report);
    this.#check = new S3Check({
      driver: this,
      target: this.#target,
      context,
      region: this.#requests.region,
      clients,
      ignoredRegion: ignoredRegion(config, env),
      askForAbsent: async (name, signal) => {
        const { body } = await this.#getObject(name, signal);
        body?.close();
      },
    });
  }

  get(name: string, { signal }: OperationOptions = {}): Promise<StoredEntry | undefined> {
    return this.#operations.run(
      'get',
      signal,
      (running, outlive) => this.#read(name, running, outlive),
      (entry) => void entry?.discard(),
    );
  }

  put(name: string, entry: CacheEntry, { signal }: OperationOptions = {}): Promise<void> {
    return this.#operations.run('put', signal, (running) => this.#write(name, entry, running));
  }

  async delete(names: readonly string[], { signal }: OperationOptions = {}): Promise<void> {
    const remaining = new Set(names);
    try {
      await this.#operations.run('delete', signal, (running) => this.#remove(remaining, running));
    } catch (thrown) {
      const { code, message, retryable, cause } = toCacheError(thrown, 'delete', this.#target);
      throw s3Error(code, `${remaining.size} entries may still be stored: ${message}`, 'delete', {
        retryable,
        ...(cause !== undefined && { cause }),
        failedNames: [...remaining],
      });
    }
  }

  async *list(prefix: string, { signal }: OperationOptions = {}): AsyncGenerator<string, void, undefined> {
    let token: string | undefined;
    do {
      const page = await this.#operations.run('list', signal, (running) =>
        this.#page(prefix, token, running),
      );
      for (const { Key } of page.Contents ?? []) {
        if (Key === undefined || !Key.startsWith(prefix) || !isEntryName(Key)) continue;
        yield Key;
        this.#operations.assertOpen('list');
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  check({ signal }: OperationOptions = {}): Promise<DriverCheck> {
    return this.#operations.run('check', signal, (running) => this.#check.run(running));
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#operations.close();
    this.#credentials.close();
    this.#transport.close();
    return Promise.resolve();
  }

  async #read(
    name: string,
    signal: AbortSignal,
    outlive: () => () => void,
  ): Promise<StoredEntry | undefined> {
    if (!isEntryName(name)) return undefined;
    const answer = await this.#find(name, signal);
    if (answer === undefined) return undefined;
    const { body, size } = answer;
    try {
      const metadata = decodeMetadata(answer.metadata);
      if (size !== undefined && size !== metadata.size) {
        throw corrupt(name, `it has ${size} bytes instead of ${metadata.size}`);
      }
      body.onDone(outlive());
      const failure = (thrown: unknown) => {
        this.#operations.assertOpen('get');
        return toCacheError(thrown, 'get', this.#target);
      };
      return new StreamedEntry(metadata, new StoredObject(metadata, body, failure));
    } catch (error) {
      body.close();
      throw error;
    }
  }

  async #find(name: string, signal: AbortSignal): Promise<ObjectAnswer | undefined> {
    try {
      const answer = await this.#getObject(name, signal);
      return answer.body === undefined ? undefined : answer;
    } catch (thrown) {
      if (isNoSuchKey(thrown) || (this.#check.absenceIsRefused && isRefusedRight(thrown))) return undefined;
      throw toCacheError(thrown, 'get', this.#target);
    }
  }

  #getObject(name: string, signal: AbortSignal): Promise<ObjectAnswer | ObjectMissing> {
    return this.#requests.send(({ objects }, abortSignal) => objects.get(name, abortSignal), signal);
  }

  async #write(name: string, { metadata, body }: CacheEntry, signal: AbortSignal): Promise<void> {
    assertEntryName(name);
    const content = { body, contentType: metadata.contentType, metadata: encodeMetadata(metadata) };
    await this.#telling('put', () =>
      this.#requests.send(({ objects }, abortSignal) => objects.put(name, content, abortSignal), signal),
    );
  }

  async #remove(remaining: Set<string>, signal: AbortSignal): Promise<void> {
    for (const name of remaining) assertEntryName(name);
    await this.#deletion.run(remaining, signal);
  }

  #page(prefix: string, token: string | undefined, signal: AbortSignal): Promise<ListObjectsV2CommandOutput> {
    return this.#telling('list', async () => {
      const page = await this.#requests.send(
        ({ sdk }, abortSignal) =>
          sdk.send(
            new ListObjectsV2Command({
              Bucket: this.#target.bucket,
              Prefix: prefix,
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
            { abortSignal },
          ),
        signal,
      );
      const { IsTruncated, NextContinuationToken } = page;
      if (IsTruncated === true && (NextContinuationToken === undefined || NextContinuationToken === token)) {
        throw new NotS3Error('a listing that does not say how it goes on');
      }
      return page;
    });
  }

  async #telling<Value>(operation: CacheOperation, work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (thrown) {
      throw toCacheError(thrown, operation, this.#target);
    }
  }
}

function targetOf({ bucket, endpoint, usePathStyle }: S3Config): S3Target {
  return {
    bucket,
    endpoint: endpoint === '' ? undefined : { url: parseEndpoint(endpoint), pathStyle: usePathStyle },
  };
}

// The SDK's own default would ask the machine's metadata for a region in between.
function regionOf(configured: string, env: Environment): Promise<string> {
  if (configured !== '') return Promise.resolve(configured);
  return loadConfig(
    {
      environmentVariableSelector: () => variableOf(env, 'AWS_REGION'),
      configFileSelector: (profile) => profile['region'],
      default: DEFAULT_REGION,
    },
    { ...NODE_REGION_CONFIG_FILE_OPTIONS, profile: profileOf(env) },
  )();
}

/** A region that the operator may think is used. */
function ignoredRegion({ region }: S3Config, env: Environment): string | undefined {
  if (region !== '' || variableOf(env, 'AWS_REGION') !== undefined) return undefined;
  return variableOf(env, 'AWS_DEFAULT_REGION');
}

function crowded(waiting: number, maxSockets: number): DriverEvent {
  const message = `${waiting} requests wait for one of ${maxSockets} connections: raise IMGPROXY_CACHE_S3_MAX_SOCKETS if that happens often`;
  return { kind: 'connections-exhausted', level: 'warn', message };
}

/** The SDK's warnings become events; it would write them to the console. */
function loggerOf(report: DriverContext['report']): Logger {
  const quiet = (): void => {};
  const warn = (message: unknown): void => {
    // What follows the name of an error came from a service.
    const text = String(message).replace(/\b\w*(?:Error|Exception)\b:.*/s, 'an error');
    report({ kind: 'sdk-warning', level: 'warn', message: `the AWS SDK warns: ${text}` });
  };
  return { debug: quiet, info: quiet, warn, error: quiet };
}
