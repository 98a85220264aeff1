import { hash } from 'node:crypto';
import type { HeaderValue, ImageIdentity, OptionPair, RequestHeaders } from './cache-request.js';
import { type Cookie, parseCookieHeader } from './cookie-header.js';
import { EntryNames } from './entry-names.js';
import { KeyTuple } from './key-tuple.js';
import { SourceHashes, sourceText } from './source-hashes.js';

/** Under which name an image is kept. */
export interface CacheKey {
  /** The complete name of the entry. */
  readonly name: string;
}

/** What the operator decides about keys. */
export interface KeySettings {
  /** `IMGPROXY_CACHE_PATH_PREFIX`. Default: blank. */
  readonly prefix?: string;
  /** `IMGPROXY_CACHE_KEY_NAMESPACE`: changed when the renderer's own settings change. Default: blank. */
  readonly namespace?: string;
  /** `IMGPROXY_CACHE_KEY_HEADERS`. Default: none. */
  readonly headers?: readonly string[];
  /** `IMGPROXY_CACHE_KEY_COOKIES`. Default: none. */
  readonly cookies?: readonly string[];
}

// imgproxy leaves the moment at which a URL stops working out of its key since 4.0.2.
const OPTIONS_OUTSIDE_THE_KEY: ReadonlySet<string> = new Set(['expires']);

/**
 * Makes keys after imgproxy's rule: source URL, processing options, output format, chosen headers and
 * cookies, and the operator's namespace. Different requests never share a key; when it is unsure whether two
 * are equal they get two keys, since a spare copy costs less than somebody else's picture.
 */
export class CacheKeyBuilder {
  readonly names: EntryNames;
  readonly #sources = new SourceHashes();
  readonly #namespace: string;
  readonly #headers: readonly string[];
  readonly #cookies: readonly string[];

  /** @throws CacheError `ERR_CACHE_CONFIG` for a prefix that cannot be one. */
  constructor(settings: KeySettings = {}) {
    this.names = new EntryNames(settings.prefix ?? '');
    this.#namespace = settings.namespace ?? '';
    this.#headers = distinctNames((settings.headers ?? []).map((name) => name.toLowerCase()));
    this.#cookies = distinctNames(settings.cookies ?? []);
  }

  /**
   * The key of an image.
   * @throws TypeError for a string that is not well-formed Unicode (a lone surrogate): such strings would be
   *   hashed alike.
   */
  build(identity: ImageIdentity): CacheKey {
    const source = sourceText(identity.source);
    const tuple = new KeyTuple().text(this.#namespace);
    appendSource(tuple, source);
    appendOptions(tuple, identity.options);
    appendOptional(tuple, identity.format);
    const negotiated = identity.negotiated ?? [];
    appendStrings(tuple, negotiated.length > 1 ? [...new Set(negotiated)].sort() : negotiated);
    const headers = this.#chooses ? headerLines(identity.headers) : [];
    this.#appendHeaders(tuple, headers);
    this.#appendCookies(tuple, identity.cookies, headers);
    const text = tuple.toString();
    if (!text.isWellFormed()) {
      throw new TypeError(
        'the request to the cache holds a string that is not well-formed Unicode (a lone surrogate): pass such a source as bytes',
      );
    }
    return { name: this.names.entry(this.#sources.hash(source), hash('sha256', text, 'hex')) };
  }

  /** What the names of all variants of a source begin with, whatever the rest of their keys. */
  sourcePrefix(source: string | Uint8Array): string {
    return this.names.ofSource(this.#sources.hash(sourceText(source)));
  }

  /** Whether any header or cookie is part of the key. */
  get #chooses(): boolean {
    return this.#headers.length > 0 || this.#cookies.length > 0;
  }

  #appendHeaders(tuple: KeyTuple, lines: readonly HeaderLine[]): void {
    tuple.list(this.#headers.length);
    for (const name of this.#headers) appendValues(tuple.text(name), valuesOf(lines, name));
  }

  #appendCookies(tuple: KeyTuple, cookies: ImageIdentity['cookies'], lines: readonly HeaderLine[]): void {
    tuple.list(this.#cookies.length);
    if (this.#cookies.length === 0) return;
    const sent = sentCookies(cookies, lines);
    for (const name of this.#cookies) appendValues(tuple.text(name), valuesOf(sent, name));
  }
}

/** A header line or a cookie. */
type HeaderLine = readonly [name: string, value: string];

function appendSource(tuple: KeyTuple, source: string | Uint8Array): void {
  if (typeof source === 'string') tuple.text(source);
  else tuple.bytes(source);
}

function appendOptions(tuple: KeyTuple, options: ImageIdentity['options']): void {
  if (options === undefined || !('pipelines' in options)) {
    appendPipeline(tuple, options ?? []);
    return;
  }
  tuple.text('pipelines').list(options.pipelines.length);
  for (const pipeline of options.pipelines) appendPipeline(tuple, pipeline);
}

function appendPipeline(tuple: KeyTuple, pairs: readonly OptionPair[]): void {
  const inKey = pairs.some(([name]) => OPTIONS_OUTSIDE_THE_KEY.has(name))
    ? pairs.filter(([name]) => !OPTIONS_OUTSIDE_THE_KEY.has(name))
    : pairs;
  tuple.list(inKey.length);
  for (const [name, value] of inKey) tuple.text(name).text(value);
}

function appendOptional(tuple: KeyTuple, value: string | undefined): void {
  if (value === undefined) tuple.absent();
  else tuple.text(value);
}

function appendStrings(tuple: KeyTuple, values: readonly string[]): void {
  tuple.list(values.length);
  for (const value of values) tuple.text(value);
}

function appendValues(tuple: KeyTuple, values: readonly string[]): void {
  if (values.length === 0) tuple.absent();
  else appendStrings(tuple, values);
}

// Once for a request: what the host gave may be an iterator that can be walked only once.
function headerLines(headers: RequestHeaders | undefined): readonly HeaderLine[] {
  if (headers === undefined) return [];
  const given: Iterable<readonly [string, HeaderValue]> =
    Symbol.iterator in headers
      ? (headers as Iterable<readonly [string, string]>)
      : Object.entries(headers as Readonly<Record<string, HeaderValue>>);
  const lines: HeaderLine[] = [];
  for (const [name, value] of given) {
    if (value === undefined) continue;
    const lowerCased = name.toLowerCase();
    if (typeof value === 'string') lines.push([lowerCased, value]);
    else for (const item of value) lines.push([lowerCased, item]);
  }
  return lines;
}

function sentCookies(cookies: ImageIdentity['cookies'], lines: readonly HeaderLine[]): readonly Cookie[] {
  if (typeof cookies === 'string') return parseCookieHeader(cookies);
  if (cookies !== undefined) return Object.entries(cookies);
  return valuesOf(lines, 'cookie').flatMap(parseCookieHeader);
}

function valuesOf(lines: readonly HeaderLine[], wanted: string): string[] {
  return lines.filter(([name]) => name === wanted).map(([, value]) => value);
}

// imgproxy's lists keep empty items ("a,,b"); an empty name selects nothing.
function distinctNames(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => name !== '');
}
