import type { Readable } from 'node:stream';
import type { ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-s3';
import type { Clock } from '@imgproxy-cache/core/driver';
import { HttpResponse } from '@smithy/core/protocols';
import type { DeserializeMiddleware, HandlerExecutionContext, Pluggable } from '@smithy/types';
import { IncomingBody } from './incoming-body.js';

/** A success that no S3 gives: something else answered in its place. */
export class NotS3Error extends Error {
  override readonly name = 'NotS3Error';
}

/**
 * A put was answered without an ETag. Swift does so where another write of the same name has overtaken it, and
 * takes it when it comes again: by this property the SDK tries again.
 */
class PutUnconfirmedError extends NotS3Error {
  readonly $retryable = { throttling: false };
}

// A page of a listing has 1,000 names; an error document is short.
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;

/** Root elements of the answers that would otherwise look like empty ones when they are something else. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  ListObjectsV2Command: 'ListBucketResult',
  DeleteObjectsCommand: 'DeleteResult',
  GetBucketLocationCommand: 'LocationConstraint',
};

// The SDK would set its clock by the date of any answer, and one odd date would make the next request fail.
const CLOCK_REFUSAL = /<Code>(?:RequestTimeTooSkewed|RequestExpired|RequestInTheFuture)<\/Code>/;

/**
 * Reads every answer but the body of an object before the SDK does: whole, bounded in size and time. What is a
 * success by its status and not S3 by its content becomes a {@link NotS3Error}.
 */
export function answerReading(
  clock: Clock,
  idleTimeout: number,
): Pluggable<ServiceInputTypes, ServiceOutputTypes> {
  const middleware: DeserializeMiddleware<ServiceInputTypes, ServiceOutputTypes> =
    (next, context) => async (args) => {
      const result = await next(args);
      const { response } = result;
      if (!HttpResponse.isInstance(response)) return result;
      const body = new IncomingBody(response.body as Readable, clock, idleTimeout);
      const { date, ...headers } = response.headers;
      response.headers = headers;
      if (commandOf(context) === 'GetObjectCommand' && isSuccess(response)) {
        const problem = problemOfObject(response);
        if (problem === undefined) return result;
        await body.close();
        throw new NotS3Error(problem);
      }
      const document = await readDocument(body);
      response.body = commandOf(context) === 'GetBucketLocationCommand' ? withNamespace(document) : document;
      if (isSuccess(response)) {
        if (commandOf(context) === 'PutObjectCommand' && !isConfirmed(response, document)) {
          throw new PutUnconfirmedError('a put without an ETag');
        }
        const problem = problemOfDocument(response, document, commandOf(context));
        if (problem !== undefined) throw new NotS3Error(problem);
      } else if (!isXml(document)) {
        // The SDK would fail at parsing it; without a body it goes by the status.
        response.body = new Uint8Array();
      } else if (date !== undefined && CLOCK_REFUSAL.test(beginningOf(document))) {
        response.headers['date'] = date;
      }
      return result;
    };
  return {
    applyToStack: (stack) =>
      stack.add(middleware, { step: 'deserialize', priority: 'low', name: 'answerReading' }),
  };
}

async function readDocument(body: IncomingBody): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
      size += chunk.length;
      if (size > MAX_DOCUMENT_BYTES) throw new NotS3Error('its document does not end');
      chunks.push(chunk);
    }
  } finally {
    await body.close();
  }
  return Buffer.concat(chunks);
}

function problemOfObject({ statusCode, headers }: HttpResponse): string | undefined {
  if (statusCode !== 200) return `status ${statusCode} for a whole object`;
  if (Object.keys(headers).some((name) => name.startsWith('x-amz-meta-'))) return undefined;
  if (headers['etag'] === undefined) return 'an object without an ETag';
  const type = headers['content-type'] ?? '';
  return /^text\/html|[/+]xml\b(?<!svg\+xml)/i.test(type)
    ? `a document of type ${type.slice(0, 40)}`
    : undefined;
}

function isConfirmed({ headers }: HttpResponse, document: Uint8Array): boolean {
  return headers['etag'] !== undefined || endsAsError(document);
}

function problemOfDocument(
  { headers }: HttpResponse,
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
  if (endsAsError(document)) return undefined;
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

function isXml(document: Uint8Array): boolean {
  return /^\s*(?:<\?xml|<Error|<ErrorResponse)/.test(beginningOf(document));
}

function beginningOf(document: Uint8Array): string {
  return Buffer.from(document.subarray(0, 1024))
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '');
}

function isSuccess({ statusCode }: HttpResponse): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function commandOf(context: HandlerExecutionContext): string {
  return context.commandName ?? '';
}
