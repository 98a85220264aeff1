import { createHmac, hash } from 'node:crypto';
import type { AwsCredentialIdentity } from '@smithy/types';

/** The request to sign: header names in lower case, an encoded path, no query. */
export interface UnsignedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const EMPTY_BODY = hash('sha256', '', 'hex');

/** Headers that proxies may change. */
const UNSIGNED: ReadonlySet<string> = new Set(['user-agent']);

interface DerivedKey {
  readonly secret: string;
  readonly day: string;
  readonly key: Buffer;
}

/**
 * Signs requests with AWS Signature Version 4, in headers:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * The SDK's signer makes the same signatures, as a test verifies, at five times the CPU.
 */
export class RequestSignature {
  readonly #region: string;
  readonly #service: string;
  #derived: DerivedKey | undefined;

  constructor(region: string, service: string) {
    this.#region = region;
    this.#service = service;
  }

  /** All headers of the request, including the signature. */
  sign(
    { method, path, headers, body }: UnsignedRequest,
    { accessKeyId, secretAccessKey, sessionToken }: AwsCredentialIdentity,
    date: Date,
  ): Record<string, string> {
    const time = date.toISOString().replace(/[-:]|\.\d+/g, '');
    const day = time.slice(0, 8);
    const bodyHash = body === undefined ? EMPTY_BODY : hash('sha256', body, 'hex');
    const signed: Record<string, string> = {
      ...headers,
      'x-amz-content-sha256': bodyHash,
      'x-amz-date': time,
    };
    if (sessionToken !== undefined) signed['x-amz-security-token'] = sessionToken;
    const names = Object.keys(signed)
      .filter((name) => !UNSIGNED.has(name))
      .sort();
    let canonical = `${method}\n${path}\n\n`;
    for (const name of names) canonical += `${name}:${canonicalValue(signed[name] ?? '')}\n`;
    const nameList = names.join(';');
    canonical += `\n${nameList}\n${bodyHash}`;
    const scope = `${day}/${this.#region}/${this.#service}/aws4_request`;
    const text = `${ALGORITHM}\n${time}\n${scope}\n${hash('sha256', canonical, 'hex')}`;
    const signature = createHmac('sha256', this.#keyOf(secretAccessKey, day)).update(text).digest('hex');
    signed['authorization'] =
      `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${nameList}, Signature=${signature}`;
    return signed;
  }

  #keyOf(secret: string, day: string): Buffer {
    if (this.#derived?.secret !== secret || this.#derived.day !== day) {
      let key = hmac(`AWS4${secret}`, day);
      for (const part of [this.#region, this.#service, 'aws4_request']) key = hmac(key, part);
      this.#derived = { secret, day, key };
    }
    return this.#derived.key;
  }
}

function canonicalValue(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
