import { STATUS_CODES } from 'node:http';
import { isCacheError, type Render } from '@imgproxy-cache/core';
import type { HttpAnswer } from './http-answer.js';

/** TypeErrors that a renderer threw: all others are about the request. */
const ofRenderers = new WeakSet<TypeError>();

/**
 * What a failed request is answered. Such an answer is never stored, and tells nothing of the error but what is meant for
 * everybody.
 *
 * - A `CacheError`: 503 with its code. `ERR_CACHE_ABORTED`: nothing, since the client has gone.
 * - An error with `status` and `publicMessage`, such as `HttpError` and url's `UrlError`: these two.
 * - A `TypeError` of `fetch`, for a request that it cannot take: 400. One for what `render` gave: 500.
 * - Anything else: 500.
 *
 * @returns `undefined`: no answer
 */
export function answerFailure(error: unknown): HttpAnswer | undefined {
  if (isCacheError(error)) {
    return error.code === 'ERR_CACHE_ABORTED' ? undefined : refusal(503, error.code);
  }
  const { status, publicMessage, code } = (error ?? {}) as Record<string, unknown>;
  if (typeof publicMessage === 'string' && isErrorStatus(status)) return refusal(status, publicMessage);
  const isOfRequest =
    error instanceof TypeError && !ofRenderers.has(error) && code !== 'ERR_INVALID_RETURN_VALUE';
  return refusal(isOfRequest ? 400 : 500);
}

/** A short text that nobody may store. */
export function refusal(status: number, message: string = STATUS_CODES[status] ?? 'Error'): HttpAnswer {
  const body = Buffer.from(message);
  return {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': String(body.length),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    },
    body,
  };
}

/** Remembers whether a TypeError is the renderer's. Requests that share a rendering get the same error. */
export function noteErrors(render: Render): Render {
  return async (context) => {
    try {
      return await render(context);
    } catch (error) {
      if (error instanceof TypeError) ofRenderers.add(error);
      throw error;
    }
  };
}

function isErrorStatus(status: unknown): status is number {
  return Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599;
}
