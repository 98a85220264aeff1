import { S3Client } from '@aws-sdk/client-s3';
import type { HttpTransport, Retries } from '@imgproxy-cache/http-transport';
import type { Logger } from '@smithy/types';
import { answerReading } from './answer-reading.js';
import type { Credentials } from './credentials.js';
import { obstacleToVirtualHost, type S3Target } from './endpoint.js';
import type { ObjectRequests } from './object-requests.js';
import { sdkRetries } from './retries.js';
import { SdkObjects } from './sdk-objects.js';
import { SdkTransport } from './sdk-transport.js';
import { SignedObjects } from './signed-objects.js';

/** What the clients of all regions have in common. */
export interface RegionalClientParts {
  readonly target: S3Target;
  /** Of the shared configuration files. */
  readonly profile: string;
  readonly credentials: Credentials;
  readonly transport: HttpTransport;
  readonly retries: Retries;
  /** Most time between the attempts at one get, in milliseconds. The SDK's commands do not heed it. */
  readonly longestLookupPause: number;
  readonly logger: Logger;
  /** Whether objects are read and stored by the SDK's commands too. */
  readonly useSdkCommands: boolean;
  /** Ends what no caller can end. */
  readonly closing: AbortSignal;
}

/** What asks one region. */
export interface RegionalClient {
  readonly sdk: S3Client;
  readonly objects: ObjectRequests;
}

// A bucket moves from one region to another; more are only named by a store that lies.
const MAX_CLIENTS = 4;

/** One client per region: to move a client to another region would move the requests under way. */
export class RegionalClients {
  readonly #parts: RegionalClientParts;
  readonly #clients = new Map<string, RegionalClient>();

  constructor(parts: RegionalClientParts) {
    this.#parts = parts;
  }

  at(region: string): RegionalClient {
    const known = this.#clients.get(region);
    if (known !== undefined) return known;
    const [oldest] = this.#clients.keys();
    if (oldest !== undefined && this.#clients.size === MAX_CLIENTS) this.#clients.delete(oldest);
    const client = this.#connect(region);
    this.#clients.set(region, client);
    return client;
  }

  /** How far the SDK found the store's clock ahead of ours, in milliseconds. */
  clockOffset(region: string): number {
    return this.#clients.get(region)?.sdk.config.systemClockOffset ?? 0;
  }

  #connect(region: string): RegionalClient {
    const { target, credentials, transport, retries, longestLookupPause, useSdkCommands } = this.#parts;
    const sdk = this.#makeSdkClient(region);
    const { bucket } = target;
    const commands = new SdkObjects(sdk, bucket);
    if (useSdkCommands) return { sdk, objects: commands };
    return {
      sdk,
      objects: new SignedObjects({
        client: sdk,
        bucket,
        credentials,
        transport,
        retries,
        longestLookupPause,
        otherwise: commands,
      }),
    };
  }

  #makeSdkClient(region: string): S3Client {
    const { target, profile, credentials, transport, retries, logger, closing } = this.#parts;
    const { endpoint } = target;
    const client = new S3Client({
      region,
      profile,
      credentials: credentials.provider,
      requestHandler: new SdkTransport(transport),
      ...sdkRetries(retries, closing),
      logger,
      // What most other stores do not know, or take for the object's bytes.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      expectContinueHeader: false,
      followRegionRedirects: false,
      ...(endpoint === undefined
        ? {}
        : {
            // In virtual-host style the SDK would put a slash of its own behind one at the end.
            endpoint: endpoint.url.href.replace(/\/+$/, ''),
            // The SDK makes a URL that is none out of a bucket with dots and an address.
            forcePathStyle: endpoint.pathStyle || obstacleToVirtualHost(target) !== undefined,
            // Set in the environment for AWS, they would be errors here.
            useDualstackEndpoint: false,
            useFipsEndpoint: false,
          }),
    });
    client.middlewareStack.use(answerReading());
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
