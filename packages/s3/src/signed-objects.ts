import { GetObject$, GetObjectCommand, PutObject$, type S3Client } from '@aws-sdk/client-s3';
import type { Attempt, HttpAnswer, HttpTransport, Retries } from '@imgproxy-cache/http-transport';
import { getEndpointFromInstructions } from '@smithy/core/endpoints';
import { extendedEncodeURIComponent, HttpRequest } from '@smithy/core/protocols';
import type { AuthScheme, RequestSigner } from '@smithy/types';
import { assertObject, isSuccess, readWhole } from './answer-reading.js';
import { isErrorAnswer } from './error-answer.js';
import type { ObjectAnswer, ObjectContent, ObjectRequests, PutAnswer } from './object-requests.js';
import { judgeFailure } from './retries.js';
import { toSdkError } from './sdk-errors.js';
import { originOf } from './sdk-transport.js';

/** What requests are signed and sent with. */
export interface SignedObjectParts {
  /** Whose endpoint rules, signer, credentials, clock and errors count. */
  readonly client: S3Client;
  readonly bucket: string;
  readonly transport: HttpTransport;
  readonly retries: Retries;
  /** Who reads and stores where AWS's rules ask for more than a signature, as directory buckets do. */
  readonly otherwise: ObjectRequests;
}

/** Where the objects are, and how requests to there are signed. */
interface Place {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  /** What stands before a key. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signer: RequestSigner;
  readonly scheme: AuthScheme;
}

const METADATA = 'x-amz-meta-';
const USER_AGENT = 'imgproxy-cache-s3';

/**
 * Objects by requests of our own, at a fraction of what the SDK's commands cost. The SDK says, once, where the bucket
 * is; it signs every request and makes the errors of failed ones. Only its general way from a command to a request
 * and from an answer to an output, which is most of that cost, is left out.
 */
export class SignedObjects implements ObjectRequests {
  readonly #parts: SignedObjectParts;
  #place: Promise<Place | undefined> | undefined;

  constructor(parts: SignedObjectParts) {
    this.#parts = parts;
  }

  async get(key: string, signal: AbortSignal): Promise<ObjectAnswer> {
    const place = await this.#locate();
    if (place === undefined) return await this.#parts.otherwise.get(key, signal);
    return await this.#tryAgain(signal, async (attempt) => {
      const { client } = this.#parts;
      const offset = client.config.systemClockOffset;
      const request = requestTo(place, 'GET', key, {});
      const answer = await this.#send(place, request, attempt, signal);
      if (!isSuccess(answer.status)) {
        throw await toSdkError(client, GetObject$, await readWhole('GetObjectCommand', answer), offset);
      }
      assertObject(answer);
      const { headers, body } = answer;
      return { metadata: metadataOf(headers), size: sizeOf(headers), body };
    });
  }

  async put(
    key: string,
    { body, contentType, metadata }: ObjectContent,
    signal: AbortSignal,
  ): Promise<PutAnswer> {
    const place = await this.#locate();
    if (place === undefined) {
      return await this.#parts.otherwise.put(key, { body, contentType, metadata }, signal);
    }
    const headers: Record<string, string> = {
      'content-type': contentType,
      'content-length': String(body.length),
    };
    for (const name in metadata) headers[METADATA + name] = metadata[name] ?? '';
    return await this.#tryAgain(signal, async (attempt) => {
      const { client } = this.#parts;
      const offset = client.config.systemClockOffset;
      const request = requestTo(place, 'PUT', key, headers, body);
      const response = await readWhole('PutObjectCommand', await this.#send(place, request, attempt, signal));
      if (!isSuccess(response.statusCode)) throw await toSdkError(client, PutObject$, response, offset);
      return {};
    });
  }

  async #send(
    { signer, scheme }: Place,
    unsigned: HttpRequest,
    { fresh }: Attempt,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { client, transport } = this.#parts;
    const request = await signer.sign(unsigned, {
      signingDate: new Date(Date.now() + client.config.systemClockOffset),
      ...(scheme.signingRegion === undefined ? {} : { signingRegion: scheme.signingRegion }),
      signingService: scheme.signingName,
    });
    const { method, path } = unsigned;
    return await transport.request(
      {
        method,
        origin: originOf(unsigned),
        path,
        headers: request.headers,
        body: unsigned.body as Uint8Array,
      },
      { signal, fresh },
    );
  }

  async #tryAgain<Result>(
    signal: AbortSignal,
    work: (attempt: Attempt) => Promise<Result>,
  ): Promise<Result & PutAnswer> {
    let attempts = 0;
    try {
      const counted = (attempt: Attempt): Promise<Result> => {
        attempts = attempt.number;
        return work(attempt);
      };
      const result = await this.#parts.retries.run(counted, judgeFailure, signal);
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

async function locate({ config }: S3Client, bucket: string): Promise<Place | undefined> {
  const input = { Bucket: bucket, Key: '-' };
  const { url, headers, properties } = await getEndpointFromInstructions(input, GetObjectCommand, config);
  const [scheme] = (properties?.['authSchemes'] ?? []) as AuthScheme[];
  if (scheme?.name !== 'sigv4') return undefined;
  const { protocol, hostname, port, pathname } = url;
  return {
    protocol,
    hostname,
    port: port === '' ? undefined : Number(port),
    path: pathname.replace(/\/$/, ''),
    headers: Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, values]) => [name, values.join(', ')]),
    ),
    signer: await config.signer(scheme),
    scheme,
  };
}

function requestTo(
  { protocol, hostname, port, path, headers }: Place,
  method: string,
  key: string,
  more: Readonly<Record<string, string>>,
  body?: Uint8Array,
): HttpRequest {
  return new HttpRequest({
    method,
    protocol,
    hostname,
    ...(port === undefined ? {} : { port }),
    path: `${path}/${key.split('/').map(extendedEncodeURIComponent).join('/')}`,
    headers: {
      host: port === undefined ? hostname : `${hostname}:${port}`,
      'user-agent': USER_AGENT,
      ...headers,
      ...more,
    },
    body,
  });
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
