import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What an Authorization header of AWS Signature Version 4 says. */
export interface Authorization {
  readonly accessKey: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** What was signed. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

export function parseAuthorization(header: string | undefined): Authorization | undefined {
  const match = AUTHORIZATION.exec(header ?? '');
  if (match === null) return undefined;
  const [, accessKey = '', region = '', service = '', signedHeaders = '', signature = ''] = match;
  return { accessKey, region, service, signedHeaders: signedHeaders.split(';'), signature };
}

/**
 * Whether a request has the signature that its secret gives, made anew from the published rules:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function isSigned(request: SignedRequest, authorization: Authorization, secret: string): boolean {
  const { region, service, signedHeaders, signature } = authorization;
  const payloadHash = header(request, 'x-amz-content-sha256') || sha256(request.body);
  if (payloadHash !== 'UNSIGNED-PAYLOAD' && payloadHash !== sha256(request.body)) return false;
  const [path = '', query = ''] = request.url.split('?');
  const canonicalQuery = query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => (part.includes('=') ? part : `${part}=`))
    .sort()
    .join('&');
  const canonicalHeaders = signedHeaders.map((name) => `${name}:${header(request, name).trim()}\n`).join('');
  const canonicalRequest = [
    request.method,
    path,
    canonicalQuery,
    canonicalHeaders,
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  const date = header(request, 'x-amz-date');
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const key = [date.slice(0, 8), region, service, 'aws4_request'].reduce<Buffer>(
    (secretKey, part) => hmac(secretKey, part),
    Buffer.from(`AWS4${secret}`),
  );
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonicalRequest)].join('\n');
  return hmac(key, text).toString('hex') === signature;
}

function header({ headers }: SignedRequest, name: string): string {
  const value = headers[name] ?? '';
  return Array.isArray(value) ? value.join(',') : value;
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
