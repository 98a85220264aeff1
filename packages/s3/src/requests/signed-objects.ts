import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { HttpAnswer, HttpTransport } from '@imgproxy-cache/http-transport';
import { getEndpointFromInstructions } from '@smithy/core/endpoints';
import { extendedEncodeURIComponent } from '@smithy/core/protocols';
import type { AuthScheme } from '@smithy/types';
import { isObject, readWhole } from './answer-reading.js';
import { NotS3Error, type Reveals, StoreError } from './failures.js';
import type { ObjectAnswer, ObjectAttempt, ObjectContent, Objects } from './objects.js';
import { RequestSignature } from './request-signature.js';

/** What requests are signed and sent with. */
export interface SignedObjectParts {
  /** Whose endpoint rules and clock count. */
  readonly client: S3Client;
  readonly bucket: string;
  readonly transport: HttpTransport;
  readonly reveals: Reveals;
  /** Used where AWS's rules ask for more than a signature, as for directory buckets. */
  readonly otherwise: Objects;
}

/** Where the objects are, and how requests to them are signed. */
interface Place {
  readonly origin: string;
  /** What precedes a key. */
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
 * Objects by requests that the driver signs itself, at a fraction of the cost of the SDK's commands. The SDK finds the
 * bucket's address, once, and provides credentials and clock. Only its general way from a command to a request and from
 * an answer to an output, which is most of that cost, is left out.
 */
export class SignedObjects implements Objects {
  readonly #parts: SignedObjectParts;
  #place: Promise<Place | undefined> | undefined;

  constructor(parts: SignedObjectParts) {
    this.#parts = parts;
  }

  async get(key: string, attempt: ObjectAttempt): Promise<ObjectAnswer | undefined> {
    const place = await this.#locate();
    if (place === undefined) return await this.#parts.otherwise.get(key, attempt);
    const answer = await this.#send(place, { method: 'GET', key, headers: {} }, attempt);
    const { headers, body } = answer;
    if (isObject(answer)) return { metadata: metadataOf(headers), size: sizeOf(headers), body };
    const { error } = await readWhole('GetObjectCommand', answer);
    if (error?.code === 'NoSuchKey') return undefined;
    throw error === undefined ? new NotS3Error('no object') : new StoreError(error, this.#parts.reveals);
  }

  async put(key: string, content: ObjectContent, attempt: ObjectAttempt): Promise<void> {
    const place = await this.#locate();
    if (place === undefined) return await this.#parts.otherwise.put(key, content, attempt);
    const { body, contentType, metadata } = content;
    const headers: Record<string, string> = {
      'content-type': contentType,
      'content-length': String(body.length),
    };
    for (const name in metadata) headers[METADATA + name] = metadata[name] ?? '';
    const answer = await this.#send(place, { method: 'PUT', key, headers, body }, attempt);
    const { error } = await readWhole('PutObjectCommand', answer);
    if (error !== undefined) throw new StoreError(error, this.#parts.reveals);
  }

  #send(place: Place, request: ObjectRequest, { identity, options }: ObjectAttempt): Promise<HttpAnswer> {
    const { client, transport } = this.#parts;
    const { method, key, body } = request;
    const path = `${place.path}/${key.split('/').map(extendedEncodeURIComponent).join('/')}`;
    const headers = place.signature.sign(
      { method, path, headers: { ...place.headers, ...request.headers }, body },
      identity,
      new Date(Date.now() + client.config.systemClockOffset),
    );
    const { abortSignal: signal, fresh } = options;
    return transport.request({ method, origin: place.origin, path, headers, body }, { signal, fresh });
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
