import type { CacheRequest, ImageCache, Render, RequestHeaders } from '@imgproxy-cache/core';
import { answerImage, isSupported, methodNotAllowed } from './answer.js';
import { answerFailure, noteErrors, refusal } from './answer-failure.js';
import { type AnswerSettings, checkSettings } from './answer-settings.js';
import { type HeaderFields, joinLists } from './header-fields.js';
import type { HttpAnswer } from './http-answer.js';
import type { ConditionalFields } from './preconditions.js';
import { ServerTiming } from './server-timing.js';

/**
 * What to serve: a request to the cache without its headers, cookies and signal, which are those of the client's request.
 */
export type ImageRequest = Omit<CacheRequest, 'headers' | 'cookies' | 'signal'>;

/** How a handler answers. */
export interface HandlerSettings extends AnswerSettings {
  /**
   * Adds a `Server-Timing` field with the milliseconds of look-up, rendering and storing, which every client can read.
   * Default: false.
   */
  readonly serverTiming?: boolean | undefined;
  /**
   * Called with each error that makes a request fail, and the status that was answered; the status is that of the image if
   * its body broke off. Not called when the client has gone. Default: writes errors with a status of 500 and above, and bodies
   * that broke off, to the standard error stream.
   */
  readonly onError?: ((error: unknown, status: number) => void) | undefined;
}

/** A client's request, as an adapter sees it. */
export interface ClientRequest {
  readonly method: string;
  readonly headers: RequestHeaders;
  readonly conditions: ConditionalFields;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** Serves an image to a client. Never rejects. `undefined`: the client has gone. */
export async function serveImage(
  cache: ImageCache,
  { method, headers, conditions, signal }: ClientRequest,
  image: ImageRequest,
  render: Render,
  settings: HandlerSettings,
): Promise<HttpAnswer | undefined> {
  if (!isSupported(method)) return methodNotAllowed();
  try {
    checkSettings(settings);
  } catch (error) {
    reportError(settings, error, 500);
    return refusal(500);
  }
  try {
    const timing = settings.serverTiming === true ? new ServerTiming() : undefined;
    const noted = noteErrors(render);
    const result = await cache.fetch(
      { ...image, headers, signal },
      timing === undefined ? noted : timing.around(noted),
    );
    const made = answerImage(method, conditions, result, settings, signal);
    const answer = made instanceof Promise ? await made : made;
    if (timing !== undefined) {
      const fields = answer.headers as HeaderFields;
      fields['Server-Timing'] = joinLists(timing.field(result.status), fields['Server-Timing']);
    }
    return answer;
  } catch (error) {
    if (signal.aborted) return undefined;
    const answer = failureOf(error);
    if (answer !== undefined) reportError(settings, error, answer.status);
    return answer;
  }
}

function failureOf(error: unknown): HttpAnswer | undefined {
  try {
    return answerFailure(error);
  } catch {
    // A property of the error threw.
    return refusal(500);
  }
}

/** Reports an error to the host. An error of `onError` itself is written to the standard error stream. */
export function reportError({ onError }: HandlerSettings, error: unknown, status: number): void {
  if (onError === undefined) {
    if (status < 400 || status >= 500) writeError(error);
    return;
  }
  try {
    // Typed as void, which an async function satisfies.
    const reported: unknown = onError(error, status);
    if (reported instanceof Promise) reported.catch(writeError);
  } catch (thrown) {
    writeError(thrown);
  }
}

/** Without its cause, which may hold a store's secrets. */
function writeError(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
}
