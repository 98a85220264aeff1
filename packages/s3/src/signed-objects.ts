import { GetObject$, GetObjectCommand, PutObject$, type S3Client } from '@aws-sdk/client-s3';
import type {
  Attempt,
  HttpAnswer,
  HttpTransport,
  Retries,
  RetryRunOptions,
} from '@imgproxy-cache/http-transport';
import { getEndpointFromInstructions } from '@smithy/core/endpoints';
import { extendedEncodeURIComponent } from '@smithy/core/protocols';
import type { AuthScheme } from '@smithy/types';
import { isObject, isSuccess, readWhole, saysNoSuchKey } from './answer-reading.js';
import type { Credentials } from './credentials.js';
import { isErrorAnswer } from './error-answer.js';
import type {
  ObjectAnswer,
  ObjectContent,
  ObjectMissing,
  ObjectRequests,
  PutAnswer,
} from './object-requests.js';
import { RequestSignature } from './request-signature.js';
import { judgeFailure } from './retries.js';
import { toSdkError } from './sdk-errors.js';

/** What requests are signed and sent with. */
export interface SignedObjectParts {
  /** Whose endpoint rules, clock and errors count. */
  readonly client: S3Client;
  readonly credentials: Credentials;
  readonly bucket: string;
  readonly transport: HttpTransport;
  readonly retries: Retries;
  /** Most time between the attempts at one get, in milliseconds. */
  readonly longestLookupPause: number;
  /** Who reads and stores where AWS's rules ask for more than a signature, as directory buckets do. */
  readonly otherwise: ObjectRequests;
}

/** Where the objects are, and how requests to there are signed. */
interface Place {
  readonly origin: string;
  /** What stands before a key. */
  readonly path: string;
  /** Of every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signature: RequestSignature;
}

interface ObjectRequest {
  readonly method: 'GET' | 'PUT';
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const METADATA = 'x-amz-meta-';
const USER_AGENT = 'imgproxy-cache-s3';

/**
 * Objects by requests of our own, at a fraction of what the SDK's commands cost. The SDK says, once, where the bucket
 * is, and makes the errors of failed requests; credentials and clock are those of its commands too. Only its general
 * way from a command to a request and from an answer to an output, which is most of that cost, is left out.
 */
export class SignedObjects implements ObjectRequests {
  readonly #parts: SignedObjectParts;
  #place: Promise<Place | undefined> | undefined;

  constructor(parts: SignedObjectParts) {
    this.#parts = parts;
  }

  async get(key: string, signal: AbortSignal): Promise<ObjectAnswer | ObjectMissing> {
    const place = await this.#locate();
    if (place === undefined) return await this.#parts.otherwise.get(key, signal);
    const { longestLookupPause: longestWait } = this.#parts;
    return await this.#tryAgain({ signal, longestWait }, async (attempt) => {
      const offset = this.#parts.client.config.systemClockOffset;
      const answer = await this.#send(place, { method: 'GET', key, headers: {} }, attempt, signal);
      if (!isObject(answer)) {
        const response = await readWhole('GetObjectCommand', answer);
        if (saysNoSuchKey(response)) return { body: undefined };
        throw await toSdkError(this.#parts.client, GetObject$, response, offset);
      }
      const { headers, body } = answer;
      return { metadata: metadataOf(headers), size: sizeOf(headers), body };
    });
  }

  async put(key: string, content: ObjectContent, signal: AbortSignal): Promise<PutAnswer> {
    const place = await this.#locate();
    if (place === undefined) return await this.#parts.otherwise.put(key, content, signal);
    const { body, contentType, metadata } = content;
    const headers: Record<string, string> = {
      'content-type': contentType,
      'content-length': String(body.length),
    };
    for (const name in metadata) headers[METADATA + name] = metadata[name] ?? '';
    return await this.#tryAgain({ signal }, async (attempt) => {
      const offset = this.#parts.client.config.systemClockOffset;
      const answer = await this.#send(place, { method: 'PUT', key, headers, body }, attempt, signal);
      const response = await readWhole('PutObjectCommand', answer);
      if (!isSuccess(response.statusCode)) {
        throw await toSdkError(this.#parts.client, PutObject$, response, offset);
      }
      return {};
    });
  }

  async #send(
    { origin, path: base, headers: common, signature }: Place,
    { method, key, headers, body }: ObjectRequest,
    { fresh }: Attempt,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { client, credentials, transport } = this.#parts;
    const path = `${base}/${key.split('/').map(extendedEncodeURIComponent).join('/')}`;
    const signed = signature.sign(
      { method, path, headers: { ...common, ...headers }, body },
      await credentials.provider(),
      new Date(Date.now() + client.config.systemClockOffset),
    );
    return await transport.request({ method, origin, path, headers: signed, body }, { signal, fresh });
  }

  async #tryAgain<Result>(
    options: RetryRunOptions,
    work: (attempt: Attempt) => Promise<Result>,
  ): Promise<Result & PutAnswer> {
    let attempts = 0;
    try {
      const counted = (attempt: Attempt): Promise<Result> => {
        attempts = attempt.number;
        return work(attempt);
      };
      const result = await this.#parts.retries.run(counted, judgeFailure, options);
      return { ...result, $metadata: { attempts } };
    } catch (error) {
      if (isErrorAnswer(error)) Object.assign(error.$metadata, { attempts });
      throw error;
    }
  }

  #locate(): Promise<Place | undefined> {
    this.#place ??= locate(this.#parts.client, this.#parts.bucket).catch((error: unknown) => {
      this.#place = undefined;
      throw error;
    });
    return this.#place;
  }
}

/** `undefined` where AWS's rules ask for another signature. */
async function locate({ config }: S3Client, bucket: string): Promise<Place | undefined> {
  const input = { Bucket: bucket, Key: '-' };
  const { url, headers, properties } = await getEndpointFromInstructions(input, GetObjectCommand, config);
  const [scheme] = (properties?.['authSchemes'] ?? []) as AuthScheme[];
  if (scheme?.name !== 'sigv4') return undefined;
  const region = scheme.signingRegion ?? (await config.region());
  const more = Object.entries(headers ?? {}).map(([name, values]) => [name, values.join(', ')]);
  return {
    origin: url.origin,
    path: url.pathname.replace(/\/$/, ''),
    headers: { host: url.host, 'user-agent': USER_AGENT, ...Object.fromEntries(more) },
    signature: new RequestSignature(region, scheme.signingName),
  };
}

function metadataOf(headers: HttpAnswer['headers']): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const name in headers) {
    if (name.startsWith(METADATA)) metadata[name.slice(METADATA.length)] = headers[name] ?? '';
  }
  return metadata;
}

function sizeOf(headers: HttpAnswer['headers']): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}
