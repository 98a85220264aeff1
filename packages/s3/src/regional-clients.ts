import { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '@imgproxy-cache/core/driver';
import type { Logger } from '@smithy/types';
import { answerReading } from './answer-reading.js';
import type { Credentials } from './credentials.js';
import type { S3Target } from './endpoint.js';
import type { Retries } from './retries.js';
import type { S3Connections } from './s3-connections.js';

/** What the clients of all regions have in common. */
export interface RegionalClientParts {
  readonly target: S3Target;
  readonly credentials: Credentials;
  readonly connections: S3Connections;
  readonly retries: Retries;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Longest silence in the middle of an answer, in milliseconds. */
  readonly idleTimeout: number;
}

// A bucket moves from one region to another; more are only named by a store that lies.
const MAX_CLIENTS = 4;

/** One client of the SDK per region: to move a client to another region would move the requests under way. */
export class RegionalClients {
  readonly #parts: RegionalClientParts;
  readonly #clients = new Map<string, S3Client>();

  constructor(parts: RegionalClientParts) {
    this.#parts = parts;
  }

  at(region: string): S3Client {
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
    return this.#clients.get(region)?.config.systemClockOffset ?? 0;
  }

  #connect(region: string): S3Client {
    const { target, credentials, connections, retries, logger, clock, idleTimeout } = this.#parts;
    const { endpoint } = target;
    const client = new S3Client({
      region,
      credentials: credentials.provider,
      requestHandler: connections,
      ...retries,
      logger,
      // What most other stores do not know, or take for the object's bytes.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      expectContinueHeader: false,
      followRegionRedirects: false,
      ...(endpoint === undefined
        ? {}
        : {
            endpoint: endpoint.url.href,
            forcePathStyle: endpoint.pathStyle,
            // Set in the environment for AWS, they would be errors here.
            useDualstackEndpoint: false,
            useFipsEndpoint: false,
          }),
    });
    client.middlewareStack.use(answerReading(clock, idleTimeout));
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
