import type { Clock, DriverEvent } from '@imgproxy-cache/core/driver';
import { BucketRegion } from './bucket-region.js';
import type { Credentials } from './credentials.js';
import { endpointOfLocation, type S3Target } from './endpoint.js';
import { type ErrorAnswer, isErrorAnswer } from './error-answer.js';
import { KnownFailure } from './failures.js';
import { type RegionUse, readWrongRegion, type WrongRegion } from './region-answer.js';
import { discoverRegion } from './region-discovery.js';
import type { RegionalClient, RegionalClients } from './regional-clients.js';

/** The bucket is in another region, and asking there is not possible or did not help. */
export class WrongRegionError extends KnownFailure {
  override readonly name = 'WrongRegionError';
  readonly asked: string;
  /** Where the bucket is, as far as known. */
  readonly region: string | undefined;
  /** The other endpoint that has the bucket. */
  readonly endpoint: string | undefined;

  constructor(asked: string, region: string | undefined, endpoint: string | undefined, cause: unknown) {
    super('the bucket is in another region', { cause });
    this.asked = asked;
    this.region = region;
    this.endpoint = endpoint;
  }
}

/** What a request resolves to. */
interface Answer {
  readonly $metadata: { readonly attempts?: number | undefined };
}

/** One request to a region. It must be fit to be made twice. */
export type BucketRequest<Result extends Answer> = (
  client: RegionalClient,
  signal: AbortSignal,
) => Promise<Result>;

/** What {@link BucketRequests} sends with. */
export interface BucketRequestParts {
  readonly target: S3Target;
  readonly clients: RegionalClients;
  readonly credentials: Credentials;
  configuredRegion(): Promise<string>;
  report(event: DriverEvent): void;
  readonly clock: Clock;
  /** Ends what no caller can end. */
  readonly closing: AbortSignal;
}

/** Sends requests to where the bucket is: at most one redirect and one renewal of the credentials a request. */
export class BucketRequests {
  readonly #parts: BucketRequestParts;
  readonly #use: RegionUse;
  readonly region: BucketRegion;

  constructor(parts: BucketRequestParts) {
    this.#parts = parts;
    const { target, clients, credentials, closing } = parts;
    this.#use = target.endpoint === undefined ? 'host-name' : 'signature';
    this.region = new BucketRegion({
      bucket: target.bucket,
      report: parts.report,
      clock: parts.clock,
      configured: parts.configuredRegion,
      discover: async (asked) => {
        const region = await credentials.run(() =>
          discoverRegion(clients.at(asked).sdk, target.bucket, asked, this.#use, closing),
        );
        return region !== undefined && credentials.reveals(region) ? undefined : region;
      },
    });
  }

  async send<Result extends Answer>(request: BucketRequest<Result>, signal: AbortSignal): Promise<Result> {
    const region = await this.region.current();
    try {
      return await this.#sendTo(region, request, signal);
    } catch (error) {
      const wrong = readWrongRegion(error, region, this.#use);
      if (wrong === undefined || signal.aborted) throw error;
      await this.#refuseOtherEndpoint(region, wrong, error);
      const elsewhere = await this.region.elsewhere(region, wrong.region);
      signal.throwIfAborted();
      if (elsewhere === undefined) throw new WrongRegionError(region, undefined, undefined, error);
      return await this.#sendElsewhere(elsewhere, request, signal);
    }
  }

  async #sendElsewhere<Result extends Answer>(
    region: string,
    request: BucketRequest<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    try {
      return await this.#sendTo(region, request, signal);
    } catch (error) {
      const wrong = readWrongRegion(error, region, this.#use);
      if (wrong === undefined) throw error;
      throw new WrongRegionError(region, wrong.region, undefined, error);
    }
  }

  async #sendTo<Result extends Answer>(
    region: string,
    request: BucketRequest<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const { credentials, clients } = this.#parts;
    try {
      const result = await credentials.run(() => request(clients.at(region), signal));
      this.region.confirm(region);
      this.#reportRetries(result.$metadata.attempts);
      return result;
    } catch (thrown) {
      const error = credentials.tell(thrown);
      if (!signal.aborted) await this.#learnFromFailure(region, error);
      throw error;
    }
  }

  async #learnFromFailure(region: string, error: unknown): Promise<void> {
    if (!isErrorAnswer(error) || readWrongRegion(error, region, this.#use) !== undefined) {
      this.region.refute(region);
      return;
    }
    this.#reportRetries(error.$metadata.attempts);
    this.region.confirm(region);
    if (isNoBucket(error)) await this.region.forget(region);
  }

  /** A store with an endpoint for each region only points to the other one: no region helps there. */
  async #refuseOtherEndpoint(
    asked: string,
    { region, location }: WrongRegion,
    cause: unknown,
  ): Promise<void> {
    const { endpoint, bucket } = this.#parts.target;
    if (endpoint === undefined || region !== undefined || location === undefined) return;
    const other = endpointOfLocation(location, bucket);
    if (other.host === endpoint.url.host) return;
    throw new WrongRegionError(asked, await this.region.discover(asked), other.origin, cause);
  }

  #reportRetries(attempts = 1): void {
    if (attempts === 1) return;
    const message = `a request to the bucket ${this.#parts.target.bucket} took ${attempts} attempts`;
    this.#parts.report({ kind: 'request-retried', level: 'debug', message });
  }
}

function isNoBucket(error: ErrorAnswer): boolean {
  return error.name === 'NoSuchBucket';
}
