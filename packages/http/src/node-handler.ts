import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ImageCache, Render } from '@imgproxy-cache/core';
import { refusal } from './answer-failure.js';
import { checkSettings } from './answer-settings.js';
import { asPrivate } from './cache-control.js';
import { type HeaderFields, joinLists, LIST_FIELDS } from './header-fields.js';
import type { HttpAnswer } from './http-answer.js';
import { collectUpTo, MAX_COLLECTED_BYTES } from './partial-body.js';
import { type HandlerSettings, type ImageRequest, reportError, serveImage } from './serve-image.js';

/**
 * Serves an image to a request of `node:http`.
 *
 * @param render as for `ImageCache.fetch`
 * @param settings for this request, in place of the handler's
 * @returns a promise that resolves when the answer was handed to Node or the client has gone. It never rejects.
 */
export type NodeHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  image: ImageRequest,
  render: Render,
  settings?: HandlerSettings,
) => Promise<void>;

/**
 * Makes a handler for `node:http` and all that is built on it: Express, Fastify (`reply.hijack()` first, then
 * `request.raw` and `reply.raw`), Koa (`ctx.respond = false`), NestJS (`@Req()`, `@Res()`).
 *
 * Fields that were set on the response before stay, `Vary` and `Cache-Status` among them. When the client goes, the fetch is
 * aborted and the body released. A body that breaks off destroys the connection, so that half an image never looks whole;
 * for HTTP/1.0, where it would, bodies of unknown length are collected first, up to 32 MiB.
 *
 * @throws TypeError for wrong settings
 */
export function createNodeHandler(cache: ImageCache, settings: HandlerSettings = {}): NodeHandler {
  checkSettings(settings);
  return async (request, response, image, render, more) => {
    const { method = 'GET', headersDistinct: headers } = request;
    const applied = more === undefined ? settings : { ...settings, ...more };
    const gone = new AbortController();
    const leave = (): void => {
      if (!response.writableFinished) gone.abort();
    };
    response.on('close', leave);
    if (response.destroyed) leave();
    const { signal } = gone;
    const answer = await serveImage(
      cache,
      { method, headers: headers as Record<string, string[]>, conditions: headers, signal },
      image,
      render,
      applied,
    );
    if (answer === undefined || response.destroyed || response.headersSent) abandon(response, answer);
    else await send(request, response, answer, applied);
  };
}

function abandon(response: ServerResponse, answer: HttpAnswer | undefined): void {
  if (answer?.body instanceof Readable) answer.body.destroy();
  // Somebody else, such as a middleware with a time limit, may have answered.
  if (!response.writableEnded) response.destroy();
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: HttpAnswer,
  settings: HandlerSettings,
): Promise<void> {
  try {
    const isEndUnknown = request.httpVersion === '1.0' && isOfUnknownLength(answer);
    const { status, headers, body } = isEndUnknown ? await collected(answer) : answer;
    response.writeHead(status, besideEarlierFields(response, headers));
    // Bytes are one write: Node sends the headers with them.
    if (body instanceof Readable) await pipeline(body, response);
    else response.end(body);
  } catch (error) {
    const hasBegun = response.headersSent;
    if (!isOfClient(error)) reportError(settings, error, hasBegun ? answer.status : 500);
    if (hasBegun || response.destroyed) return abandon(response, answer);
    const { status, headers, body } = refusal(500);
    response.writeHead(status, headers).end(body);
  }
}

interface StreamedAnswer extends HttpAnswer {
  readonly body: Readable;
}

function isOfUnknownLength(answer: HttpAnswer): answer is StreamedAnswer {
  return answer.body instanceof Readable && !('Content-Length' in answer.headers);
}

/** With HTTP/1.0 the end of the connection is the end of a body of unknown length. */
async function collected(answer: StreamedAnswer): Promise<HttpAnswer> {
  const whole = await collectUpTo(answer.body, MAX_COLLECTED_BYTES);
  if (whole instanceof Uint8Array) {
    const headers = { ...answer.headers, 'Content-Length': String(whole.length) };
    return { ...answer, headers, body: whole };
  }
  whole.destroy();
  throw new Error(
    `an image of unknown length and more than ${MAX_COLLECTED_BYTES} bytes cannot be served over HTTP/1.0: give the rendering as bytes`,
  );
}

/**
 * A middleware may have set fields before: lists such as `Vary` are extended, and an answer with a cookie is for one client.
 */
function besideEarlierFields(
  response: ServerResponse,
  headers: HttpAnswer['headers'],
): HttpAnswer['headers'] {
  // They describe another body. Without a length, Node chunks the body only if nobody removes Transfer-Encoding.
  response.removeHeader('Content-Encoding');
  if ('Content-Length' in headers && response.hasHeader('Transfer-Encoding')) {
    response.removeHeader('Transfer-Encoding');
  }
  if (response.hasHeader('Set-Cookie')) {
    (headers as HeaderFields)['Cache-Control'] = asPrivate(headers['Cache-Control'] ?? '');
  }
  for (const name of LIST_FIELDS) {
    const earlier = response.getHeader(name);
    if (earlier !== undefined) (headers as HeaderFields)[name] = joinLists(String(earlier), headers[name]);
  }
  return headers;
}

function isOfClient(error: unknown): boolean {
  const { code, name } = error as NodeJS.ErrnoException;
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || name === 'AbortError';
}
