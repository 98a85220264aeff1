import type { ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-s3';
import type { HttpAnswer, ReadLimits } from '@imgproxy-cache/http-transport';
import { HttpResponse } from '@smithy/core/protocols';
import { getRetryAfterHint } from '@smithy/core/retry';
import type { DeserializeMiddleware, Pluggable } from '@smithy/types';
import { regionInMessage } from '../region/region-names.js';
import { type ErrorAnswer, NotS3Error, type Reveals, StoreError } from './failures.js';
import { BodyStream } from './sdk-transport.js';

/** An answer whose document has been read. */
export interface WholeAnswer {
  readonly response: HttpResponse;
  /** What it says if it is an error. */
  readonly error: ErrorAnswer | undefined;
}

/**
 * A put was answered without an ETag. Swift does so if another write of the same name has overtaken it, and accepts it
 * the next time: by this property it is retried.
 */
class PutUnconfirmedError extends NotS3Error {
  readonly $retryable = { throttling: false };
}

// A page of a listing has 1,000 names.
const DOCUMENT_LIMITS: ReadLimits = { maxBytes: 8 * 1024 * 1024, timeout: 30_000 };
// The document of an error is short, and comes with the head.
const ERROR_LIMITS: ReadLimits = { maxBytes: 64 * 1024, timeout: 1_000 };

/** Root elements of the answers whose absence would look like an empty answer. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  ListObjectsV2Command: 'ListBucketResult',
  DeleteObjectsCommand: 'DeleteResult',
  GetBucketLocationCommand: 'LocationConstraint',
};

const ERROR_DOCUMENT = /^\ufeff?\s*(?:<\?xml[^>]*>\s*)?<Error(?:Response)?[\s>]/;
const CLOCK_REFUSALS: ReadonlySet<string | undefined> = new Set([
  'RequestTimeTooSkewed',
  'RequestExpired',
  'RequestInTheFuture',
]);

/**
 * Reads every answer but the body of an object before the SDK does, within limits of size and time. Errors become
 * {@link StoreError}s, and what is a success by its status and not S3 by its content becomes a {@link NotS3Error}.
 */
export function answerReading(reveals: Reveals): Pluggable<ServiceInputTypes, ServiceOutputTypes> {
  const middleware: DeserializeMiddleware<ServiceInputTypes, ServiceOutputTypes> =
    (next, context) => async (args) => {
      const result = await next(args);
      const { response } = result;
      if (!HttpResponse.isInstance(response) || !(response.body instanceof BodyStream)) return result;
      const command = context.commandName ?? '';
      const answer = { status: response.statusCode, headers: response.headers, body: response.body.source };
      if (command === 'GetObjectCommand' && isObject(answer)) {
        response.headers = withoutDate(answer.headers);
        return result;
      }
      const whole = await readWhole(command, answer);
      if (whole.error !== undefined) throw new StoreError(whole.error, reveals);
      return { ...result, response: whole.response };
    };
  return {
    applyToStack: (stack) =>
      stack.add(middleware, { step: 'deserialize', priority: 'low', name: 'answerReading' }),
  };
}

/** Whether an answer to a read brings an object. Any other is for {@link readWhole}. */
export function isObject(answer: HttpAnswer): boolean {
  return isSuccess(answer.status) && problemOfObject(answer) === undefined;
}

/**
 * Reads an answer that brings no object to its end.
 * @throws NotS3Error for a success that S3 does not send
 */
export async function readWhole(command: string, answer: HttpAnswer): Promise<WholeAnswer> {
  const { status, headers, body } = answer;
  const success = isSuccess(status);
  const notObject = success && command === 'GetObjectCommand' ? problemOfObject(answer) : undefined;
  if (notObject !== undefined && !isXmlType(headers)) {
    body.close();
    throw new NotS3Error(notObject);
  }
  const { bytes: document, whole } = await body.read(success ? DOCUMENT_LIMITS : ERROR_LIMITS);
  const response = new HttpResponse({ statusCode: status, headers: withoutDate(headers), body: document });
  if (!success) return { response, error: new ErrorDocument(answer, whole ? document : new Uint8Array()) };
  if (!whole) throw new NotS3Error('its document does not end');
  // S3 may begin an answer before it knows how the work ends.
  if (endsAsError(document)) return { response, error: new ErrorDocument(answer, document) };
  if (command === 'PutObjectCommand' && headers['etag'] === undefined) {
    throw new PutUnconfirmedError('a put without an ETag');
  }
  const problem = notObject ?? problemOfDocument(headers, document, command);
  if (problem !== undefined) throw new NotS3Error(problem);
  if (command === 'GetBucketLocationCommand') response.body = withNamespace(document);
  return { response, error: undefined };
}

/** An error answer, whose parts are read only when they are needed: a miss needs nothing but the code. */
class ErrorDocument implements ErrorAnswer {
  readonly status: number;
  readonly isLate: boolean;
  readonly #headers: HttpAnswer['headers'];
  readonly #text: string;

  /** @param document empty if it does not end */
  constructor({ status, headers }: HttpAnswer, document: Uint8Array) {
    this.isLate = isSuccess(status);
    this.status = this.isLate ? 503 : status;
    this.#headers = headers;
    const text = Buffer.from(document.buffer, document.byteOffset, document.length).toString();
    this.#text = ERROR_DOCUMENT.test(text) ? text : '';
  }

  get code(): string | undefined {
    return this.#element('Code') ?? (this.status === 404 ? 'NotFound' : undefined);
  }

  get requestId(): string | undefined {
    return this.#headers['x-amz-request-id'];
  }

  get regions(): (string | undefined)[] {
    const named = this.#headers['x-amz-bucket-region'];
    return [named, this.#element('Region'), regionInMessage(this.#element('Message'))];
  }

  get location(): string | undefined {
    return this.#headers['location'];
  }

  get retryAfter(): number | undefined {
    const hint = getRetryAfterHint(new HttpResponse({ statusCode: this.status, headers: this.#headers }));
    return hint && hint.getTime() - Date.now();
  }

  get storeTime(): number | undefined {
    const time = CLOCK_REFUSALS.has(this.code) ? Date.parse(this.#headers['date'] ?? '') : Number.NaN;
    return Number.isNaN(time) ? undefined : time;
  }

  #element(name: string): string | undefined {
    return new RegExp(`<${name}>([^<]{1,1000})</${name}>`).exec(this.#text)?.[1]?.trim();
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

// The SDK would set its clock by the date of any answer, and one wrong date would make the next request fail.
function withoutDate({ date, ...headers }: HttpAnswer['headers']): Record<string, string> {
  return headers;
}

function problemOfObject({ status, headers }: HttpAnswer): string | undefined {
  if (status !== 200) return `status ${status} for a whole object`;
  for (const name in headers) if (name.startsWith('x-amz-meta-')) return undefined;
  if (headers['etag'] === undefined) return 'an object without an ETag';
  if (isHtmlType(headers)) return 'a page of HTML';
  return isXmlType(headers) ? 'a document of XML' : undefined;
}

function problemOfDocument(
  headers: HttpAnswer['headers'],
  document: Uint8Array,
  command: string,
): string | undefined {
  const root = DOCUMENTS[command];
  // Swift calls its empty answers HTML too.
  if (root === undefined) return document.length > 0 && isHtmlType(headers) ? 'a page of HTML' : undefined;
  const beginning = Buffer.from(document.subarray(0, 1024)).toString('latin1');
  return beginning.includes(`<${root}`) ? undefined : `a document that is no ${root}`;
}

// Without an attribute the SDK takes the element for blank, which would mean us-east-1.
function withNamespace(document: Uint8Array): Uint8Array {
  const namespaced = '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">';
  return Buffer.from(Buffer.from(document).toString().replace('<LocationConstraint>', namespaced));
}

function endsAsError(document: Uint8Array): boolean {
  return Buffer.from(document.subarray(-16)).toString('latin1').trimEnd().endsWith('</Error>');
}

function isHtmlType(headers: HttpAnswer['headers']): boolean {
  return /^text\/html/i.test(headers['content-type'] ?? '');
}

function isXmlType(headers: HttpAnswer['headers']): boolean {
  return /[/+]xml\b(?<!svg\+xml)/i.test(headers['content-type'] ?? '');
}
