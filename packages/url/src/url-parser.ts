import { BearerSecret } from './bearer-secret.js';
import { type ByteString, toByteString, toBytes, toReadableText, toText } from './byte-string.js';
import { checkedConfig } from './checked-config.js';
import { CLIENT_HINT_HEADERS, hintedOptions, type RequestHeaders } from './client-hints.js';
import type { ImageRequest, InfoRequest, UrlRequest } from './image-request.js';
import { infoGrammar, type OptionGrammar, processingGrammar } from './options/option-grammar.js';
import type { OptionReading } from './options/option-reading.js';
import { isInfoUri, type SplitRequestUri, splitRequestUri } from './request-uri.js';
import { SignatureCheck, signedBytes } from './signature.js';
import { SourceUrlDecoder } from './source/source-url.js';
import type { UrlSettings } from './url-config.js';
import { UrlError } from './url-error.js';
import { isBytes, valueType } from './value-type.js';

/** A path whose signature was found right, or needs none. */
export interface SignedPath {
  readonly signature: string;
  /** What the signature is made of. What is not UTF-8 in it is shown as U+FFFD. */
  readonly signedPath: string;
}

/** URLs of imgproxy 2 and before: `/fit/300/200/no/1/...`. */
const DEPRECATED = /^\/?(?:fit|fill|fill-down|force|auto)(?:\/|$)/;

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

const NO_HINTS: ReadonlyMap<string, string> = new Map();

/** Checks and reads imgproxy's URLs. */
export class UrlParser {
  /** The request headers that a picture may depend on, for `Vary`. `Accept` is not among them. */
  readonly vary: readonly string[];
  readonly #pathPrefix: ByteString;
  readonly #isPro: boolean;
  readonly #clientHints: boolean;
  readonly #secret: BearerSecret;
  readonly #signatures: SignatureCheck;
  readonly #sources: SourceUrlDecoder;
  readonly #processing: OptionGrammar;
  readonly #info: OptionGrammar;

  /** @throws UrlConfigError with every fault at once. */
  constructor(config: UrlSettings = {}) {
    const checked = checkedConfig(config);
    this.#pathPrefix = toByteString(checked.pathPrefix);
    this.#isPro = checked.pro;
    this.#clientHints = checked.clientHints;
    this.vary = checked.clientHints ? CLIENT_HINT_HEADERS : [];
    this.#secret = new BearerSecret(checked.secret);
    this.#signatures = new SignatureCheck(checked);
    this.#sources = new SourceUrlDecoder(checked);
    this.#processing = processingGrammar(checked);
    this.#info = infoGrammar(checked);
  }

  /**
   * Checks the signature alone, without reading what is signed.
   *
   * @param requestUri The request's target with its query, as the client sent it. A string is text; a server
   *   that has a byte in each character, as `node:http` has, gives `Buffer.from(request.url, 'latin1')`.
   * @throws UrlError for a request to refuse, TypeError for what is neither a string nor bytes.
   */
  verify(requestUri: string | Uint8Array): SignedPath {
    const uri = bytesOf(requestUri);
    return describe(this.#verified(uri, this.#isInfo(uri)));
  }

  /** Whether a URL asks for information about an image, as only imgproxy Pro's do. */
  isInfo(requestUri: string | Uint8Array): boolean {
    return this.#isInfo(bytesOf(requestUri));
  }

  /**
   * Checks secret and signature, then reads options and source, as imgproxy does and in its order.
   *
   * @param requestUri As for {@link verify}.
   * @param headers The request's headers, from which come the secret and the client's hints, where they are configured.
   * @throws UrlError and TypeError as {@link verify} does; UrlError for a URL that asks for information, too.
   */
  parse(requestUri: string | Uint8Array, headers?: RequestHeaders): ImageRequest {
    const uri = bytesOf(requestUri);
    if (this.#isInfo(uri)) throw UrlError.unsupported('The URL asks for information, and not for an image');
    this.#secret.verify(headers);
    const verified = this.#verified(uri, false);
    const hints = this.#clientHints && headers !== undefined ? hintedOptions(headers) : NO_HINTS;
    const { reading, request } = this.#read(verified, this.#processing, hints);
    const { main } = reading;
    const pipelines = reading.pipelines();
    const image: Mutable<ImageRequest> = {
      ...request,
      options: pipelines[0] ?? [],
      pipelines,
      raw: main.get('raw') === 'true',
    };
    const format = main.get('format');
    if (format !== undefined) image.format = format;
    const filename = main.get('filename');
    if (filename !== undefined) image.filename = filename;
    const returnAttachment = main.get('return_attachment');
    if (returnAttachment !== undefined) image.returnAttachment = returnAttachment === 'true';
    const cacheTags = main.get('cache_tags');
    if (cacheTags !== undefined) image.cacheTags = cacheTags.split('/').filter((tag) => tag !== '');
    return image;
  }

  /**
   * Reads a URL that asks for information about an image, as {@link parse} reads one of a picture.
   *
   * @throws UrlError and TypeError as {@link parse} does, and UrlError for any other URL.
   */
  parseInfo(requestUri: string | Uint8Array, headers?: RequestHeaders): InfoRequest {
    const uri = bytesOf(requestUri);
    if (!this.#isInfo(uri)) throw UrlError.unsupported('The URL asks for no information');
    this.#secret.verify(headers);
    const { reading, request } = this.#read(this.#verified(uri, true), this.#info, NO_HINTS);
    return { ...request, options: reading.pipelines()[0] ?? [] };
  }

  #isInfo(uri: ByteString): boolean {
    return this.#isPro && isInfoUri(uri, this.#pathPrefix);
  }

  #verified(uri: ByteString, isInfo: boolean): SplitRequestUri {
    const split = splitRequestUri(uri, isInfo ? `${this.#pathPrefix}/info` : this.#pathPrefix);
    this.#signatures.verify(split.signature, split.path);
    return split;
  }

  #read(
    verified: SplitRequestUri,
    grammar: OptionGrammar,
    hints: ReadonlyMap<string, string>,
  ): { readonly reading: OptionReading; readonly request: Omit<UrlRequest, 'options'> } {
    const { path } = verified;
    if (path === '' || path === '/') throw UrlError.invalid(`invalid path: ${path}`);
    if (!grammar.onlyPresets && DEPRECATED.test(path))
      throw UrlError.invalid("It looks like you're using the deprecated basic URL format");

    const { reading, rest } = grammar.read(path.startsWith('/') ? path.slice(1) : path, hints);
    const decoded = this.#sources.decode(rest);
    const hasFormat = decoded.extension !== '' && grammar.kind === 'processing';
    if (hasFormat && reading.main.get('raw') !== 'true')
      reading.applyAll([{ name: 'format', args: [decoded.extension] }]);
    this.#sources.assertAllowed(decoded);

    const { signature, signedPath } = describe(verified);
    const { url, isEncrypted } = decoded;
    const request: Mutable<Omit<UrlRequest, 'options'>> = {
      signature,
      signedPath,
      source: { bytes: toBytes(url), text: toText(url), isEncrypted },
      usedPresets: reading.usedPresets,
      opaque: reading.opaque,
    };
    const expires = reading.main.get('expires');
    if (expires !== undefined) request.expires = Number(expires);
    return { reading, request };
  }
}

function bytesOf(requestUri: string | Uint8Array): ByteString {
  if (typeof requestUri !== 'string' && !isBytes(requestUri))
    throw new TypeError(`A request URI must be a string or a Uint8Array, it is ${valueType(requestUri)}`);
  if (typeof requestUri === 'string' && !requestUri.isWellFormed())
    throw UrlError.invalid('Invalid path: it has a lone surrogate, for which there are no bytes');
  return toByteString(requestUri);
}

function describe({ signature, path }: SplitRequestUri): SignedPath {
  return { signature: toReadableText(signature), signedPath: toReadableText(signedBytes(path)) };
}
