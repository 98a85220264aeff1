import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { CacheControlSettings } from './cache-control.js';
import type { DispositionSettings } from './content-disposition.js';

/** How images are answered. */
export interface AnswerSettings extends CacheControlSettings {
  /** The name under which a client saves the image. Default: no `Content-Disposition`. */
  readonly contentDisposition?: DispositionSettings | undefined;
  /**
   * More fields for every answer with an image and for 304. They replace fields of the answer, but `Vary`, `Cache-Status` and
   * `Server-Timing` are lists: an upstream's `Cache-Status` comes before this cache's (RFC 9211, section 2).
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The name of this cache in `Cache-Status`. Default: `imgproxy-cache`. */
  readonly cacheName?: string | undefined;
}

const DECIDED_BY_THE_IMAGE: ReadonlySet<string> = new Set([
  ...['accept-ranges', 'age', 'content-length', 'content-range', 'content-type', 'etag', 'last-modified'],
  ...['connection', 'content-encoding', 'date', 'trailer', 'transfer-encoding'],
]);
// A `Cache-Control` among the headers would also apply to images that nobody may store.
const OTHER_SETTINGS = new Map([
  ['cache-control', 'cacheControl'],
  ['content-disposition', 'contentDisposition'],
]);
const FOR_ONE_CLIENT = 'set-cookie';
const TOKEN = /^[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*$/;

const checked = new WeakSet<AnswerSettings>();

/**
 * Checks settings, once for each object.
 * @throws TypeError for a setting that cannot be sent, with what is allowed
 */
export function checkSettings(settings: AnswerSettings): void {
  if (checked.has(settings)) return;
  checkShape(settings);
  const { maxAge, staleWhileRevalidate, cacheControl, contentDisposition, headers, cacheName } = settings;
  checkSeconds('maxAge', maxAge);
  checkSeconds('staleWhileRevalidate', staleWhileRevalidate);
  if (cacheControl !== undefined) checkField('cacheControl', 'Cache-Control', cacheControl);
  if (contentDisposition !== undefined && typeof contentDisposition?.filename !== 'string') {
    throw new TypeError('contentDisposition.filename must be a string, without the extension');
  }
  for (const [name, value] of Object.entries(headers ?? {})) {
    checkField('headers', name, value);
    const setting = OTHER_SETTINGS.get(name.toLowerCase());
    if (setting !== undefined) throw new TypeError(`headers must not set ${name}: use ${setting}`);
    if (name.toLowerCase() === FOR_ONE_CLIENT) {
      throw new TypeError('headers must not set Set-Cookie: images are shared by clients and caches');
    }
    if (DECIDED_BY_THE_IMAGE.has(name.toLowerCase())) {
      throw new TypeError(`headers must not set ${name}: it follows from the image and the request`);
    }
  }
  if (cacheName !== undefined && !TOKEN.test(cacheName)) {
    throw new TypeError(
      `cacheName is ${JSON.stringify(cacheName)}, allowed is a token such as example.com or images`,
    );
  }
  checked.add(settings);
}

const TYPES = new Map([
  ['maxAge', 'number'],
  ['staleWhileRevalidate', 'number'],
  ['cacheControl', 'string'],
  ['cacheControlPassthrough', 'boolean'],
  ['contentDisposition', 'object'],
  ['headers', 'object'],
  ['cacheName', 'string'],
  ['serverTiming', 'boolean'],
  ['onError', 'function'],
]);

/** Settings of a misspelt name or a wrong type would be ignored in silence. */
function checkShape(settings: AnswerSettings): void {
  if (typeof settings !== 'object' || settings === null) throw new TypeError('settings must be an object');
  for (const [name, value] of Object.entries(settings)) {
    const type = TYPES.get(name);
    if (type === undefined) {
      throw new TypeError(`${name} is not a setting; there are ${[...TYPES.keys()].join(', ')}`);
    }
    if (value === undefined || (typeof value === type && value !== null && value !== '')) continue;
    const article = type === 'object' ? 'an' : 'a';
    throw new TypeError(`${name} must be ${article} ${type}${value === '' ? ' that is not blank' : ''}`);
  }
  const { headers } = settings;
  if (headers !== undefined && (Symbol.iterator in headers || Array.isArray(headers))) {
    throw new TypeError('headers must be a plain object of names and values');
  }
}

function checkSeconds(setting: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return;
  throw new TypeError(`${setting} is ${String(value)}, allowed is a whole number of seconds, 0 or more`);
}

/** The value is not quoted in the message: it may be a secret. */
function checkField(setting: string, name: string, value: string): void {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    throw new TypeError(
      `${setting} has ${JSON.stringify(name)} with a name or value that no header may have`,
    );
  }
}
