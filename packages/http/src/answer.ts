import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { CachedImage, FetchResult, RequestHeaders } from '@imgproxy-cache/core';
import { refusal } from './answer-failure.js';
import { type AnswerSettings, checkSettings } from './answer-settings.js';
import { parseByteRange } from './byte-range.js';
import { freshnessOf } from './cache-control.js';
import { conditionalFieldsOf } from './conditional-fields.js';
import { contentDisposition } from './content-disposition.js';
import { entityTag } from './entity-tag.js';
import { addFields, type HeaderFields } from './header-fields.js';
import type { HttpAnswer } from './http-answer.js';
import { parseHttpDate } from './http-date.js';
import { collectUpTo, drain, MAX_COLLECTED_BYTES } from './partial-body.js';
import { applicableRange, type ConditionalFields, evaluatePreconditions } from './preconditions.js';

// RFC 9110, section 8.3.1, with whatever parameters: what no header may have never gets here.
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+(?:[ \t]*;[\t\x20-\x7e]*)?$/;
const DEFAULT_CACHE_NAME = 'imgproxy-cache';
// imgproxy's own: an SVG that is opened by itself runs no script.
const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

/**
 * What a result of `ImageCache.fetch` becomes over HTTP, for any framework. It consumes the image.
 *
 * A rendering's stream is collected up to `IMGPROXY_CACHE_VERIFY_BYTES` first, so that miss and hit have the same `ETag`; a
 * larger one is passed on as a stream without one.
 *
 * @param method `GET` or `HEAD`; others get 405
 * @param headers the request's
 * @throws TypeError for wrong settings
 * @throws the error with which the rendering's stream ended while it was collected, and an Error for a content type that is
 *   no media type
 */
export async function answer(
  method: string,
  headers: RequestHeaders,
  result: FetchResult,
  settings: AnswerSettings = {},
): Promise<HttpAnswer> {
  try {
    checkSettings(settings);
    return await answerImage(method, conditionalFieldsOf(headers), result, settings);
  } finally {
    await result.image.discard();
  }
}

/**
 * As {@link answer}, at once where the body is in memory.
 * @param settings checked
 * @param signal ends the body
 */
export function answerImage(
  method: string,
  fields: ConditionalFields,
  result: FetchResult,
  settings: AnswerSettings,
  signal?: AbortSignal,
): HttpAnswer | Promise<HttpAnswer> {
  const { image, verifyBytes } = result;
  if (!isSupported(method)) {
    void image.discard();
    return methodNotAllowed();
  }
  if (!MEDIA_TYPE.test(image.contentType)) {
    void image.discard();
    throw new Error(
      `render gave the contentType ${JSON.stringify(image.contentType)}: it must be a media type, such as image/webp`,
    );
  }
  const body = image.body();
  const isOfUnknownSize = !(body instanceof Uint8Array) && image.size === undefined;
  if (!isOfUnknownSize) return new ImageAnswer(method, fields, result, settings, body).make();
  return collectUpTo(body, verifyBytes, signal).then((collected) =>
    new ImageAnswer(method, fields, result, settings, collected).make(),
  );
}

/** Whether images are answered to this method. */
export function isSupported(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

export function methodNotAllowed(): HttpAnswer {
  const { status, headers, body } = refusal(405);
  return { status, headers: { ...headers, Allow: 'GET, HEAD' }, body };
}

class ImageAnswer {
  readonly #method: string;
  readonly #fields: ConditionalFields;
  readonly #result: FetchResult;
  readonly #settings: AnswerSettings;
  readonly #body: Uint8Array | Readable;
  /** Absent for a rendering's stream of unknown length. */
  readonly #size: number | undefined;
  readonly #etag: string | undefined;

  constructor(
    method: string,
    fields: ConditionalFields,
    result: FetchResult,
    settings: AnswerSettings,
    body: Uint8Array | Readable,
  ) {
    this.#method = method;
    this.#fields = fields;
    this.#result = result;
    this.#settings = settings;
    this.#body = body;
    const { image, name } = result;
    this.#size = body instanceof Uint8Array ? body.length : image.size;
    const checksum = image.crc32 ?? (this.#isSmall ? crc32(body as Uint8Array) : undefined);
    this.#etag =
      this.#size === undefined || checksum === undefined ? undefined : entityTag(name, this.#size, checksum);
  }

  make(): HttpAnswer {
    const lastModified = lastModifiedOf(this.#result.image);
    const outcome = evaluatePreconditions(this.#fields, { etag: this.#etag, lastModified });
    if (outcome === 'failed') return this.#refuse(412);
    const fields = this.#commonFields();
    if (outcome === 'not-modified') {
      // RFC 9110, section 15.4.5: no metadata beside the tag, and the date only in its absence.
      if (this.#etag === undefined) addLastModified(fields, lastModified);
      this.#addSettings(fields);
      return this.#withoutBody(304, fields);
    }
    addLastModified(fields, lastModified);
    this.#describe(fields);
    this.#addSettings(fields);
    if (this.#isSmall && this.#method === 'GET' && this.#fields.range !== undefined) {
      const partial = this.#partial(fields);
      if (partial !== undefined) return partial;
    }
    if (this.#size !== undefined) fields['Content-Length'] = String(this.#size);
    if (this.#method === 'HEAD') return this.#withoutBody(200, fields);
    return { status: 200, headers: fields, body: this.#body };
  }

  /** Whether the whole body is at hand, and small enough for a checksum and for ranges. */
  get #isSmall(): boolean {
    return this.#body instanceof Uint8Array && this.#body.length <= this.#result.verifyBytes;
  }

  /** What an answer with the image and a 304 have in common. */
  #commonFields(): HeaderFields {
    const { status, vary } = this.#result;
    const { cacheName } = this.#settings;
    const { cacheControl, age } = freshnessOf(this.#result, this.#settings, this.#size);
    const fields: HeaderFields = { 'Cache-Control': cacheControl, 'Cache-Status': String(status) };
    if (cacheName !== undefined)
      fields['Cache-Status'] = `${cacheName}${String(status).slice(DEFAULT_CACHE_NAME.length)}`;
    if (age !== undefined) fields['Age'] = String(age);
    if (this.#etag !== undefined) fields['ETag'] = this.#etag;
    if (vary.length > 0) fields['Vary'] = vary.join(', ');
    return fields;
  }

  #describe(fields: HeaderFields): void {
    const { contentType } = this.#result.image;
    const { contentDisposition: disposition } = this.#settings;
    fields['Content-Type'] = contentType;
    fields['X-Content-Type-Options'] = 'nosniff';
    if (isActive(contentType)) fields['Content-Security-Policy'] = CONTENT_SECURITY_POLICY;
    if (disposition !== undefined)
      fields['Content-Disposition'] = contentDisposition(disposition, contentType);
    if (this.#isSmall) fields['Accept-Ranges'] = 'bytes';
  }

  #addSettings(fields: HeaderFields): void {
    const { headers } = this.#settings;
    if (headers !== undefined) addFields(fields, headers);
  }

  /** 206 or 416; `undefined`: the whole. */
  #partial(fields: HeaderFields): HttpAnswer | undefined {
    const field = applicableRange(this.#fields, this.#etag);
    const body = this.#body as Uint8Array;
    const range = field === undefined ? undefined : parseByteRange(field, body.length);
    if (range === undefined) return undefined;
    if (range === 'unsatisfiable') return this.#refuse(416, { 'Content-Range': `bytes */${body.length}` });
    const { first, last } = range;
    fields['Content-Range'] = `bytes ${first}-${last}/${body.length}`;
    fields['Content-Length'] = String(last - first + 1);
    return { status: 206, headers: fields, body: body.subarray(first, last + 1) };
  }

  #refuse(status: number, more: HeaderFields = {}): HttpAnswer {
    this.#drop();
    const { headers, body } = refusal(status);
    return { status, headers: { ...headers, ...more }, body: this.#method === 'HEAD' ? undefined : body };
  }

  #withoutBody(status: number, headers: HeaderFields): HttpAnswer {
    this.#drop();
    return { status, headers, body: undefined };
  }

  /** A rendering is read to its end, so that it is stored; a stored image is let go. */
  #drop(): void {
    const body = this.#body;
    if (body instanceof Uint8Array) return;
    if (this.#result.status.hit) body.destroy();
    else drain(body, MAX_COLLECTED_BYTES);
  }
}

/** The source's date, unless it is none or in the future (RFC 9110, section 8.8.2.1). */
function lastModifiedOf({ lastModified }: CachedImage): number | undefined {
  if (lastModified === undefined) return undefined;
  const now = Date.now();
  const date = parseHttpDate(lastModified, now);
  return date !== undefined && date <= now ? date : undefined;
}

function addLastModified(fields: HeaderFields, date: number | undefined): void {
  if (date !== undefined) fields['Last-Modified'] = new Date(date).toUTCString();
}

/** Whether a browser that shows this type by itself may run scripts in it. */
function isActive(contentType: string): boolean {
  return contentType === 'image/svg+xml' || !contentType.startsWith('image/');
}
