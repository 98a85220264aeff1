import { Readable } from 'node:stream';
import type { ImageCache, Render } from '@imgproxy-cache/core';
import { checkSettings } from './answer-settings.js';
import { conditionalFieldsOf } from './conditional-fields.js';
import { type HandlerSettings, type ImageRequest, reportError, serveImage } from './serve-image.js';

/**
 * Serves an image to a request of the Fetch API.
 *
 * @param render as for `ImageCache.fetch`
 * @param settings for this request, in place of the handler's
 * @returns the response; it never rejects. Where the client has gone it has the status 499, for nobody to read.
 */
export type FetchHandler = (
  request: Request,
  image: ImageRequest,
  render: Render,
  settings?: HandlerSettings,
) => Promise<Response>;

const CLIENT_CLOSED_REQUEST = 499;

/**
 * Makes a handler for frameworks that take a `Request` and return a `Response`, such as Hono and Next.js.
 *
 * The request's signal aborts the fetch. A body is read as fast as it is taken, is released when it is cancelled, and ends with
 * an error if it is incomplete, upon which the framework must break off the answer.
 *
 * @throws TypeError for wrong settings
 */
export function createFetchHandler(cache: ImageCache, settings: HandlerSettings = {}): FetchHandler {
  checkSettings(settings);
  return async (request, image, render, more) => {
    const { method, headers, signal } = request;
    const applied = more === undefined ? settings : { ...settings, ...more };
    const conditions = conditionalFieldsOf(headers);
    const answer = await serveImage(cache, { method, headers, conditions, signal }, image, render, applied);
    if (answer === undefined) return new Response(null, { status: CLIENT_CLOSED_REQUEST });
    const { status, headers: fields, body } = answer;
    const sent =
      body instanceof Readable
        ? streamOf(body, (error) => reportError(applied, error, status))
        : method === 'HEAD' || body === undefined
          ? null
          : ownBytes(body);
    return new Response(sent, { status, headers: fields });
  };
}

/** `Response` takes no bytes of shared memory. */
function ownBytes(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return body.buffer instanceof ArrayBuffer ? (body as Uint8Array<ArrayBuffer>) : new Uint8Array(body);
}

/** Holds one chunk at most: the next is read when the last one was taken. */
function streamOf(body: Readable, onError: (error: unknown) => void): ReadableStream<Uint8Array> {
  const chunks = body.iterator();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const step = await chunks.next();
          if (step.done === true) controller.close();
          else controller.enqueue(step.value as Uint8Array);
        } catch (error) {
          onError(error);
          controller.error(error);
        }
      },
      cancel() {
        body.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}
