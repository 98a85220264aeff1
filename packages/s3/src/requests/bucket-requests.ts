import type { S3Client } from '@aws-sdk/client-s3';
import type { DriverContext } from '@imgproxy-cache/core/driver';
import { Retries, type RetryVerdict } from '@imgproxy-cache/http-transport';
import type { Credentials } from '../credentials/credentials.js';
import { BucketRegion } from '../region/bucket-region.js';
import { discoverRegion } from '../region/region-discovery.js';
import type { RegionUse } from '../region/region-names.js';
import { isWrongRegion, namedRegion, WrongRegionError } from '../region/wrong-region.js';
import type { BucketClients, BucketRequest } from './bucket-clients.js';
import { endpointOfLocation, type S3Target } from './endpoint.js';
import { StoreError, toFailure } from './failures.js';
import { judgeFailure } from './retries.js';

/** Limits of one request. */
export interface SendOptions {
  readonly signal: AbortSignal;
  /** Most time between all its attempts together, in milliseconds. Default: no limit. */
  readonly longestWait?: number;
}

/** What {@link BucketRequests} sends with. */
export interface BucketRequestParts {
  readonly target: S3Target;
  readonly clients: BucketClients;
  readonly credentials: Credentials;
  /** The region of the first request. */
  configuredRegion(): Promise<string>;
  readonly context: DriverContext;
  /** Ends discoveries, which serve several callers. */
  readonly closing: AbortSignal;
}

// A clock that is off by less is not why a request was refused.
const LEAST_SKEW = 60_000;

/**
 * The path of every request to the bucket: region, credentials, retries, request, answer. A request is redirected to
 * another region at most once, and its credentials are renewed at most once in each.
 */
export class BucketRequests {
  readonly region: BucketRegion;
  readonly #parts: BucketRequestParts;
  readonly #use: RegionUse;
  /** One budget for all regions. */
  readonly #retries = new Retries();

  constructor(parts: BucketRequestParts) {
    this.#parts = parts;
    const { target, context } = parts;
    this.#use = target.endpoint === undefined ? 'host-name' : 'signature';
    this.region = new BucketRegion({
      bucket: target.bucket,
      context,
      configured: parts.configuredRegion,
      discover: (asked) => this.#discover(asked),
    });
  }

  /** @throws the last failure: a `KnownFailure`, a `TransportError` or a `ProxyConfigurationError` */
  async send<Result>(request: BucketRequest<Result>, options: SendOptions): Promise<Result> {
    let region = await this.region.current();
    for (let redirected = false; ; redirected = true) {
      try {
        const result = await this.#sendTo(region, request, options);
        this.region.confirm(region);
        return result;
      } catch (thrown) {
        const failure = toFailure(thrown, this.#parts.credentials.reveals);
        if (options.signal.aborted) throw failure;
        if (failure instanceof StoreError && !isWrongRegion(failure, region, this.#use)) {
          // The region has answered for the bucket.
          this.region.confirm(region);
          if (failure.name === 'NoSuchBucket') await this.region.forget(region);
          throw failure;
        }
        this.region.refute(region);
        if (!(failure instanceof StoreError)) throw failure;
        region = await this.#elsewhere(region, failure, redirected);
        options.signal.throwIfAborted();
      }
    }
  }

  /** Sends a request to one region: credentials, retries, request. */
  async #sendTo<Result>(
    region: string,
    request: BucketRequest<Result>,
    options: SendOptions,
  ): Promise<Result> {
    const { clients, credentials } = this.#parts;
    const client = clients.at(region);
    let attempts = 1;
    let clockOffset = 0;
    try {
      return await credentials.run((identity) =>
        this.#retries.run(
          ({ number, fresh }) => {
            attempts = number;
            clockOffset = client.sdk.config.systemClockOffset;
            return request({ ...client, identity, options: { abortSignal: options.signal, fresh } });
          },
          (error) => correctClock(error, client.sdk, clockOffset) ?? judgeFailure(error),
          options,
        ),
      );
    } finally {
      if (attempts > 1) this.#reportRetries(attempts);
    }
  }

  /** The region to ask next. @throws WrongRegionError if there is none */
  async #elsewhere(asked: string, cause: StoreError, redirected: boolean): Promise<string> {
    const named = namedRegion(cause, this.#use);
    if (redirected) throw new WrongRegionError({ asked, region: named, cause });
    if (named === undefined) await this.#refuseOtherEndpoint(asked, cause);
    const elsewhere = await this.region.elsewhere(asked, named);
    if (elsewhere === undefined) throw new WrongRegionError({ asked, cause });
    return elsewhere;
  }

  /** A store with an endpoint for each region redirects to the other endpoint: another region does not help there. */
  async #refuseOtherEndpoint(asked: string, cause: StoreError): Promise<void> {
    const { endpoint, bucket } = this.#parts.target;
    if (endpoint === undefined || cause.location === undefined) return;
    const other = endpointOfLocation(cause.location, bucket);
    if (other.host === endpoint.url.host) return;
    const region = await this.region.discover(asked);
    throw new WrongRegionError({ asked, region, endpoint: other.origin, cause });
  }

  async #discover(asked: string): Promise<string | undefined> {
    const { target, credentials, closing: signal } = this.#parts;
    const { bucket } = target;
    const region = await discoverRegion({
      bucket,
      asked,
      use: this.#use,
      send: (request) => this.#sendTo(asked, request, { signal }),
    });
    return region !== undefined && credentials.reveals(region) ? undefined : region;
  }

  #reportRetries(attempts: number): void {
    const message = `a request to the bucket ${this.#parts.target.bucket} took ${attempts} attempts`;
    this.#parts.context.report({ kind: 'request-retried', level: 'debug', message });
  }
}

/**
 * Sets the clock by which requests are signed to the store's, if the store refused ours.
 * @param offset the correction that the refused request was signed with, in milliseconds
 */
function correctClock(thrown: unknown, { config }: S3Client, offset: number): RetryVerdict | undefined {
  if (!(thrown instanceof StoreError) || thrown.storeTime === undefined) return undefined;
  const skew = thrown.storeTime - Date.now();
  if (Math.abs(skew - offset) <= LEAST_SKEW) return undefined;
  config.systemClockOffset = skew;
  // A wrong clock fails all requests under way at once: they would use up the budget.
  return { reason: 'corrected' };
}
