import { S3Client } from '@aws-sdk/client-s3';
import type { HttpTransport } from '@imgproxy-cache/http-transport';
import type { Logger } from '@smithy/types';
import type { Credentials } from '../credentials/credentials.js';
import { answerReading } from './answer-reading.js';
import { obstacleToVirtualHost, type S3Target } from './endpoint.js';
import { type ObjectAttempt, type Objects, SdkObjects } from './objects.js';
import { SdkTransport } from './sdk-transport.js';
import { SignedObjects } from './signed-objects.js';

/** What the clients of all regions have in common. */
export interface BucketClientParts {
  readonly target: S3Target;
  /** Of the shared configuration files. */
  readonly profile: string;
  readonly credentials: Credentials;
  readonly transport: HttpTransport;
  readonly logger: Logger;
  /** Whether objects are read and stored by the SDK's commands too. */
  readonly useSdkCommands: boolean;
}

/** What asks one region. */
export interface RegionalClient {
  readonly sdk: S3Client;
  readonly objects: Objects;
}

/** One attempt at a request in one region. */
export type BucketAttempt = RegionalClient & ObjectAttempt;

/** A request to the bucket. It must be possible to make it more than once. */
export type BucketRequest<Result> = (attempt: BucketAttempt) => Promise<Result>;

// A bucket moves from one region to another. Only a store that lies names more.
const MAX_CLIENTS = 4;

/** One client for each region: moving a client to another region would move the requests under way. */
export class BucketClients {
  readonly #parts: BucketClientParts;
  readonly #clients = new Map<string, RegionalClient>();

  constructor(parts: BucketClientParts) {
    this.#parts = parts;
  }

  at(region: string): RegionalClient {
    const known = this.#clients.get(region);
    if (known !== undefined) return known;
    const [oldest] = this.#clients.keys();
    if (oldest !== undefined && this.#clients.size === MAX_CLIENTS) this.#clients.delete(oldest);
    const sdk = this.#createSdkClient(region);
    const client = { sdk, objects: this.#createObjects(sdk) };
    this.#clients.set(region, client);
    return client;
  }

  #createObjects(client: S3Client): Objects {
    const { target, credentials, transport, useSdkCommands } = this.#parts;
    const { bucket } = target;
    const otherwise = new SdkObjects(client, bucket);
    if (useSdkCommands) return otherwise;
    return new SignedObjects({ client, bucket, transport, reveals: credentials.reveals, otherwise });
  }

  #createSdkClient(region: string): S3Client {
    const { target, profile, credentials, transport, logger } = this.#parts;
    const { endpoint } = target;
    const client = new S3Client({
      region,
      profile,
      credentials: credentials.provider,
      requestHandler: new SdkTransport(transport),
      // The driver retries.
      maxAttempts: 1,
      retryMode: 'standard',
      logger,
      // What most other stores do not know, or take for the object's bytes.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      expectContinueHeader: false,
      followRegionRedirects: false,
      ...(endpoint !== undefined && {
        // In virtual-host style the SDK would add a slash to one at the end.
        endpoint: endpoint.url.href.replace(/\/+$/, ''),
        // The SDK makes an invalid URL of a bucket with dots and an IP address.
        forcePathStyle: endpoint.pathStyle || obstacleToVirtualHost(target) !== undefined,
        // Set in the environment for AWS, they would be errors here.
        useDualstackEndpoint: false,
        useFipsEndpoint: false,
      }),
    });
    client.middlewareStack.use(answerReading(credentials.reveals));
    // Strict stores and proxies refuse a parameter that S3's reference does not have.
    client.middlewareStack.add(
      (next) => (args) => {
        const { request } = args as { request: { query?: Record<string, unknown> } };
        delete request.query?.['x-id'];
        return next(args);
      },
      { step: 'build', name: 'withoutOperationId' },
    );
    return client;
  }
}
