import type { ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-s3';
import type { HttpAnswer, ReadLimits } from '@imgproxy-cache/http-transport';
import { HttpResponse } from '@smithy/core/protocols';
import type { DeserializeMiddleware, Pluggable } from '@smithy/types';
import { ENDED_AS_ERROR, KnownFailure } from './failures.js';
import { BodyStream } from './sdk-transport.js';

/** A success that no S3 gives: something else answered in its place. */
export class NotS3Error extends KnownFailure {
  override readonly name = 'NotS3Error';
}

/**
 * A put was answered without an ETag. Swift does so where another write of the same name has overtaken it, and
 * takes it when it comes again: by this property the SDK tries again.
 */
class PutUnconfirmedError extends NotS3Error {
  readonly $retryable = { throttling: false };
}

// A page of a listing has 1,000 names.
const DOCUMENT_LIMITS: ReadLimits = { maxBytes: 8 * 1024 * 1024, timeout: 30_000 };
// An error's document is short, and comes with the head.
const ERROR_LIMITS: ReadLimits = { maxBytes: 64 * 1024, timeout: 1_000 };

/** Root elements of the answers that would otherwise look like empty ones when they are something else. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  ListObjectsV2Command: 'ListBucketResult',
  DeleteObjectsCommand: 'DeleteResult',
  GetBucketLocationCommand: 'LocationConstraint',
};

const NO_SUCH_KEY = /^\s*(?:<\?xml[^>]*>\s*)?<Error[^>]*>\s*<Code>NoSuchKey<\/Code>/;
// The SDK would set its clock by the date of any answer, and one odd date would make the next request fail.
const CLOCK_REFUSAL = /<Code>(?:RequestTimeTooSkewed|RequestExpired|RequestInTheFuture)<\/Code>/;

/**
 * Reads every answer but the body of an object before the SDK does: whole, bounded in size and time. What is a
 * success by its status and not S3 by its content becomes a {@link NotS3Error}.
 */
export function answerReading(): Pluggable<ServiceInputTypes, ServiceOutputTypes> {
  const middleware: DeserializeMiddleware<ServiceInputTypes, ServiceOutputTypes> =
    (next, context) => async (args) => {
      const result = await next(args);
      const { response } = result;
      if (!HttpResponse.isInstance(response) || !(response.body instanceof BodyStream)) return result;
      const command = context.commandName ?? '';
      const answer = { status: response.statusCode, headers: response.headers, body: response.body.source };
      if (command === 'GetObjectCommand' && isObject(answer)) {
        response.headers = withoutDate(answer.headers);
      } else {
        Object.assign(response, await readWhole(command, answer));
      }
      return result;
    };
  return {
    applyToStack: (stack) =>
      stack.add(middleware, { step: 'deserialize', priority: 'low', name: 'answerReading' }),
  };
}

/** Whether an answer to a read brings an object; any other is for {@link readWhole}. */
export function isObject(answer: HttpAnswer): boolean {
  return isSuccess(answer.status) && problemOfObject(answer) === undefined;
}

/**
 * Reads an answer that brings no object to its end, so that the SDK can make an output or an error of it.
 * @throws NotS3Error for a success that S3 does not give.
 */
export async function readWhole(
  command: string,
  { status, headers, body }: HttpAnswer,
): Promise<HttpResponse> {
  const notObject =
    command === 'GetObjectCommand' && isSuccess(status) ? problemOfObject({ status, headers }) : undefined;
  if (notObject !== undefined && !isXmlType(headers)) {
    body.close();
    throw new NotS3Error(notObject);
  }
  const { bytes: document, whole } = await body.read(isSuccess(status) ? DOCUMENT_LIMITS : ERROR_LIMITS);
  const response = new HttpResponse({ statusCode: status, headers: withoutDate(headers), body: document });
  if (isSuccess(status) && !whole) throw new NotS3Error('its document does not end');
  if (isSuccess(status) && endsAsError(document)) {
    // S3 may begin an answer before it knows how the work ends.
    response.statusCode = 503;
    response.reason = ENDED_AS_ERROR;
  } else if (isSuccess(status)) {
    if (command === 'PutObjectCommand' && headers['etag'] === undefined) {
      throw new PutUnconfirmedError('a put without an ETag');
    }
    const problem = notObject ?? problemOfDocument(headers, document, command);
    if (problem !== undefined) throw new NotS3Error(problem);
    if (command === 'GetBucketLocationCommand') response.body = withNamespace(document);
  } else if (!whole || !isXml(document)) {
    // The SDK would fail at parsing it; without a body it goes by the status.
    response.body = new Uint8Array();
  } else if (headers['date'] !== undefined && CLOCK_REFUSAL.test(beginningOf(document))) {
    response.headers['date'] = headers['date'];
  }
  return response;
}

/**
 * Whether an answer says that there is no such key, as most misses do. The SDK would say so too, at twice the cost of a
 * hit; other forms of that answer are left to it.
 */
export function saysNoSuchKey({ statusCode, body }: HttpResponse): boolean {
  return statusCode === 404 && NO_SUCH_KEY.test(beginningOf(body as Uint8Array));
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function withoutDate({ date, ...headers }: HttpAnswer['headers']): Record<string, string> {
  return headers;
}

function problemOfObject({ status, headers }: Omit<HttpAnswer, 'body'>): string | undefined {
  if (status !== 200) return `status ${status} for a whole object`;
  for (const name in headers) if (name.startsWith('x-amz-meta-')) return undefined;
  if (headers['etag'] === undefined) return 'an object without an ETag';
  if (/^text\/html/i.test(headers['content-type'] ?? '')) return 'a page of HTML';
  return isXmlType(headers) ? 'a document of XML' : undefined;
}

function problemOfDocument(
  headers: HttpAnswer['headers'],
  document: Uint8Array,
  command: string,
): string | undefined {
  const root = DOCUMENTS[command];
  if (root === undefined) {
    // Swift calls its empty answers HTML too.
    return document.length > 0 && /^text\/html/i.test(headers['content-type'] ?? '')
      ? 'a page of HTML'
      : undefined;
  }
  return beginningOf(document).includes(`<${root}`) ? undefined : `a document that is no ${root}`;
}

// Without an attribute the SDK takes the element for blank, which would mean us-east-1.
function withNamespace(document: Uint8Array): Uint8Array {
  const namespaced = '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">';
  return Buffer.from(Buffer.from(document).toString().replace('<LocationConstraint>', namespaced));
}

/** Of these the SDK makes the error they are. */
function endsAsError(document: Uint8Array): boolean {
  return Buffer.from(document.subarray(-16)).toString('latin1').trimEnd().endsWith('</Error>');
}

function isXmlType(headers: HttpAnswer['headers']): boolean {
  return /[/+]xml\b(?<!svg\+xml)/i.test(headers['content-type'] ?? '');
}

function isXml(document: Uint8Array): boolean {
  return /^\s*(?:<\?xml|<Error|<ErrorResponse)/.test(beginningOf(document));
}

function beginningOf(document: Uint8Array): string {
  return Buffer.from(document.subarray(0, 1024))
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '');
}
