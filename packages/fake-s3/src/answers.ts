import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WireRequest } from './wire-request.js';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** What a script does with a request: an answer, anything done to the response by hand, or nothing. */
export type Reply = Answer | ((response: ServerResponse, request: IncomingMessage) => void) | undefined;

/** Sends an answer with a declared length. */
export function send(
  response: ServerResponse,
  { method }: WireRequest,
  { status, headers = {}, body = '' }: Answer,
): void {
  response.writeHead(status, {
    'x-amz-request-id': 'TESTREQUEST',
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(method === 'HEAD' ? '' : body) }),
    ...headers,
  });
  response.end(method === 'HEAD' ? '' : body);
}

/** An error as S3 tells it. */
export function failure(
  status: number,
  code: string,
  elements = '',
  headers: Answer['headers'] = {},
): Answer {
  const document = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code} it is</Message>${elements}</Error>`;
  return { status, headers: { 'content-type': 'application/xml', ...headers }, body: document };
}

export function xml(document: string): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${document}`,
  };
}

/** A page as a captive portal or a proxy sends it. */
export function html(status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html', 'x-amz-request-id': '' },
    body: '<!doctype html><title>Welcome</title>',
  };
}

/** How S3 itself refuses a request at the wrong region. */
export function redirectWithHeader(region: string): Answer {
  return failure(301, 'PermanentRedirect', '<Endpoint>evil.example.com</Endpoint>', {
    'x-amz-bucket-region': region,
  });
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
