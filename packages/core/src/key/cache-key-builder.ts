import { hash } from 'node:crypto';
import { isUint8Array } from 'node:util/types';
import { CacheError } from '../driver/index.js';
import { RecentValues } from '../driver/recent-values.js';
import type { ImageIdentity, NegotiableFormat, OptionPair } from './cache-request.js';
import { EntryNames } from './entry-names.js';
import { cookieNamesFault, distinctNames, headerNames, headerNamesFault } from './field-names.js';
import { KeyTuple } from './key-tuple.js';
import { checkCookies, readCookies, valuesOf } from './request-cookies.js';
import { type HeaderLine, readHeaders } from './request-headers.js';
import { SourceHashes, sourceText } from './source-hashes.js';
import { wrongShape } from './wrong-shape.js';

/** The key of an image. */
export interface CacheKey {
  /** The complete name of its entry. */
  readonly name: string;
  /**
   * Names of the request headers that the image depends on, for the response's `Vary`: `Accept` if the request has
   * `negotiated`, the headers of `IMGPROXY_CACHE_KEY_HEADERS`, and `Cookie` if `IMGPROXY_CACHE_KEY_COOKIES` lists any.
   */
  readonly vary: readonly string[];
}

/** The operator's settings of keys. */
export interface KeySettings {
  /** `IMGPROXY_CACHE_PATH_PREFIX`. Default: blank. */
  readonly prefix?: string | undefined;
  /** `IMGPROXY_CACHE_KEY_NAMESPACE`: to be changed when the renderer's own settings change. Default: blank. */
  readonly namespace?: string | undefined;
  /** `IMGPROXY_CACHE_KEY_HEADERS`. Default: none. */
  readonly headers?: readonly string[] | undefined;
  /** `IMGPROXY_CACHE_KEY_COOKIES`. Default: none. */
  readonly cookies?: readonly string[] | undefined;
}

// Since 4.0.2 imgproxy's key leaves out when a URL expires.
const OPTION_OUTSIDE_THE_KEY = 'expires';

// Remembering the names of hot keys saves two hashes per request.
const KNOWN = { maxEntries: 20_000, maxCharacters: 4_194_304, maxKeyLength: 512 };
const NEGOTIABLE: ReadonlySet<unknown> = new Set<NegotiableFormat>(['avif', 'jxl', 'webp']);
const NO_HEADERS: readonly HeaderLine[] = [];

/**
 * Builds keys by imgproxy's rules: source URL, processing options, output format, listed headers and cookies, and the
 * operator's namespace. Different requests never share a key. Requests that may or may not be equal get two keys: a
 * duplicate entry costs less than serving the wrong image.
 */
export class CacheKeyBuilder {
  readonly names: EntryNames;
  readonly #sources = new SourceHashes();
  readonly #known = new RecentValues<string>(KNOWN);
  readonly #namespace: string;
  /** In lower case. */
  readonly #headers: readonly string[];
  readonly #cookies: readonly string[];
  /** Names of the headers to read, in lower case. */
  readonly #wanted: ReadonlySet<string>;
  readonly #vary: readonly string[];
  readonly #varyWithAccept: readonly string[];

  /** @throws CacheError `ERR_CACHE_CONFIG` for an invalid prefix, or an invalid name of a header or cookie */
  constructor(settings: KeySettings = {}) {
    const { prefix = '', namespace = '', headers = [], cookies = [] } = settings;
    const fault = headerNamesFault(headers) ?? cookieNamesFault(cookies);
    if (fault !== undefined) throw new CacheError('ERR_CACHE_CONFIG', fault, { operation: 'configure' });
    this.names = new EntryNames(prefix);
    this.#namespace = namespace;
    this.#headers = distinctNames(headers.map((name) => name.toLowerCase()));
    this.#cookies = distinctNames(cookies);
    const cookieHeader = this.#cookies.length > 0 ? ['Cookie'] : [];
    this.#wanted = new Set([...this.#headers, ...cookieHeader.map((name) => name.toLowerCase())]);
    this.#vary = headerNames([...headers, ...cookieHeader]);
    this.#varyWithAccept = headerNames(['Accept', ...headers, ...cookieHeader]);
  }

  /**
   * The key of an image.
   * @throws TypeError for a request that is not an {@link ImageIdentity}; for missing headers or cookies if some are part of
   *   the key; for cookies that contradict the `Cookie` header; and for a string that is not well-formed Unicode (a lone
   *   surrogate), since different such strings have the same hash
   */
  build(identity: ImageIdentity): CacheKey {
    if (typeof identity !== 'object' || identity === null) {
      throw new TypeError('the request to the cache must be an object with the source of an image');
    }
    const { source, options, format, negotiated, headers, cookies } = identity;
    checkSource(source);
    const sourceOfKey = sourceText(source);
    const tuple = new KeyTuple().text(this.#namespace);
    if (typeof sourceOfKey === 'string') tuple.text(sourceOfKey);
    else tuple.bytes(sourceOfKey);
    appendOptions(tuple, options);
    appendFormat(tuple, format);
    appendNegotiated(tuple, negotiated);
    checkCookies(cookies);
    this.#demandHeaders(identity);
    const lines = headers === undefined ? NO_HEADERS : readHeaders(headers, this.#wanted);
    tuple.list(this.#headers.length);
    for (const name of this.#headers) appendValues(tuple.text(name), valuesOf(lines, name));
    tuple.list(this.#cookies.length);
    if (this.#cookies.length > 0) this.#appendCookies(tuple, cookies, lines);
    const text = tuple.toString();
    return {
      name: this.#known.get(text) ?? this.#nameOf(text, sourceOfKey),
      vary: negotiated === undefined ? this.#vary : this.#varyWithAccept,
    };
  }

  /**
   * The prefix that the entry names of all variants of a source share.
   * @throws TypeError for a source that is neither a well-formed string nor bytes
   */
  sourcePrefix(source: string | Uint8Array): string {
    checkSource(source);
    return this.names.ofSource(this.#sources.hash(sourceText(source)));
  }

  /** Without this check, a host that forgets headers or cookies would serve one user's image to another. */
  #demandHeaders({ headers, cookies }: ImageIdentity): void {
    if (headers !== undefined) return;
    if (this.#headers.length > 0) {
      throw new TypeError(
        `the request to the cache has no headers, and IMGPROXY_CACHE_KEY_HEADERS makes ${this.#headers.join(', ')} part of the key: pass the headers of the client's request, or {} where there are none`,
      );
    }
    if (this.#cookies.length > 0 && cookies === undefined) {
      throw new TypeError(
        `the request to the cache has neither headers nor cookies, and IMGPROXY_CACHE_KEY_COOKIES makes ${this.#cookies.join(', ')} part of the key: pass the headers of the client's request, or {} where there are none`,
      );
    }
  }

  #nameOf(text: string, source: string | Uint8Array): string {
    if (!text.isWellFormed()) {
      throw new TypeError(
        'the request to the cache holds a string that is not well-formed Unicode (a lone surrogate): pass such a source as bytes',
      );
    }
    const name = this.names.entry(this.#sources.hash(source), hash('sha256', text, 'hex'));
    this.#known.set(text, name);
    return name;
  }

  #appendCookies(tuple: KeyTuple, cookies: ImageIdentity['cookies'], lines: readonly HeaderLine[]): void {
    const values = readCookies(cookies, lines, this.#cookies);
    for (const [at, name] of this.#cookies.entries()) appendValues(tuple.text(name), values[at] ?? []);
  }
}

function checkSource(source: unknown): void {
  if (typeof source !== 'string' && !isUint8Array(source)) {
    throw wrongShape('source', source, 'a string, or a Uint8Array where it is not valid UTF-8');
  }
}

function appendOptions(tuple: KeyTuple, options: unknown): void {
  if (options === undefined) tuple.list(0);
  else if (Array.isArray(options)) appendPipeline(tuple, options);
  else {
    const pipelines: unknown =
      typeof options === 'object' && options !== null && 'pipelines' in options
        ? options.pipelines
        : undefined;
    if (!Array.isArray(pipelines)) {
      throw wrongShape(
        'options',
        options,
        "an array of pairs such as ['width', '300'], or { pipelines } of such arrays",
      );
    }
    tuple.text('pipelines').list(pipelines.length);
    for (const pipeline of pipelines) appendPipeline(tuple, pipeline);
  }
}

function appendPipeline(tuple: KeyTuple, pairs: unknown): void {
  if (!Array.isArray(pairs)) throw wrongShape('a pipeline in options', pairs, 'an array of pairs');
  let inKey = 0;
  for (const pair of pairs) if (nameOf(pair) !== OPTION_OUTSIDE_THE_KEY) inKey++;
  tuple.list(inKey);
  for (const [name, value] of pairs as readonly OptionPair[]) {
    if (name !== OPTION_OUTSIDE_THE_KEY) tuple.text(name).text(value);
  }
}

function nameOf(pair: unknown): string {
  if (
    !Array.isArray(pair) ||
    pair.length !== 2 ||
    typeof pair[0] !== 'string' ||
    typeof pair[1] !== 'string'
  ) {
    throw wrongShape('an item of options', pair, "a pair of two strings such as ['width', '300']");
  }
  return pair[0];
}

function appendFormat(tuple: KeyTuple, format: unknown): void {
  if (format === undefined) tuple.absent();
  else if (typeof format === 'string') tuple.text(format);
  else throw wrongShape('format', format, 'a string');
}

function appendNegotiated(tuple: KeyTuple, negotiated: unknown): void {
  // A request without `negotiated` may have stored a format that one with `[]` must not get, so the two differ.
  if (negotiated === undefined) {
    tuple.list(0);
    return;
  }
  if (!Array.isArray(negotiated) || !negotiated.every((format) => NEGOTIABLE.has(format))) {
    throw wrongShape(
      'negotiated',
      negotiated,
      "an array of 'avif', 'jxl' and 'webp', as negotiate() makes it",
    );
  }
  appendValues(tuple, negotiated.length > 1 ? [...new Set<string>(negotiated)].sort() : negotiated);
}

function appendValues(tuple: KeyTuple, values: readonly string[]): void {
  if (values.length === 0) tuple.absent();
  else {
    tuple.list(values.length);
    for (const value of values) tuple.text(value);
  }
}
