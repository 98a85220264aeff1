import { types } from 'node:util';
import { type ByteString, toByteString, toBytes, toReadableText, toText } from './byte-string.js';
import type { ImageRequest } from './image-request.js';
import { applyOption } from './options/apply-options.js';
import { EffectiveOptions } from './options/effective-options.js';
import { type SplitRequestUri, splitRequestUri } from './request-uri.js';
import { signedBytes, verifySignature } from './signature.js';
import { SourceUrlDecoder } from './source/source-url.js';
import { checkedConfig, type UrlConfig, type UrlSettings } from './url-config.js';
import { UrlError } from './url-error.js';
import { valueType } from './value-type.js';

/** A path whose signature was found right, or needs none. */
export interface SignedPath {
  readonly signature: string;
  /** What the signature is made of. What is not UTF-8 in it is shown as U+FFFD. */
  readonly signedPath: string;
}

/** First parts of URLs of imgproxy 2 and before: `/fit/300/200/no/1/...`. */
const DEPRECATED_FIRST_PARTS = new Set(['fit', 'fill', 'fill-down', 'force', 'auto']);

/** Checks and reads imgproxy's URLs. */
export class UrlParser {
  readonly #config: UrlConfig;
  readonly #pathPrefix: ByteString;
  readonly #separator: ByteString;
  readonly #sources: SourceUrlDecoder;

  /** @throws UrlConfigError with every fault at once. */
  constructor(config: UrlSettings = {}) {
    this.#config = checkedConfig(config);
    this.#pathPrefix = toByteString(this.#config.pathPrefix);
    this.#separator = toByteString(this.#config.argumentsSeparator);
    this.#sources = new SourceUrlDecoder(this.#config);
  }

  /**
   * Checks the signature alone, without reading what is signed.
   *
   * @param requestUri The request's target with its query, as the client sent it. A string is text; a server
   *   that has a byte in each character, as `node:http` has, gives `Buffer.from(request.url, 'latin1')`.
   * @throws UrlError for a request to refuse, TypeError for what is neither a string nor bytes.
   */
  verify(requestUri: string | Uint8Array): SignedPath {
    return describe(this.#verified(requestUri));
  }

  /**
   * Checks the signature, then reads options and source, as imgproxy does and in its order.
   *
   * @param requestUri As for {@link verify}.
   * @throws UrlError and TypeError as {@link verify} does.
   */
  parse(requestUri: string | Uint8Array): ImageRequest {
    const verified = this.#verified(requestUri);
    const { path } = verified;
    if (path === '' || path === '/') throw UrlError.invalid(`invalid path: ${path}`);
    const parts = (path.startsWith('/') ? path.slice(1) : path).split('/');
    if (DEPRECATED_FIRST_PARTS.has(parts[0] ?? '')) {
      throw UrlError.invalid("It looks like you're using the deprecated basic URL format");
    }

    const effective = new EffectiveOptions();
    const context = { effective, now: this.#config.now };
    const sourceStart = parts.findIndex((part) => !part.includes(this.#separator));
    const optionCount = sourceStart < 0 ? parts.length : sourceStart;
    for (const part of parts.slice(0, optionCount)) {
      const [name = '', ...args] = part.split(this.#separator);
      this.#assertOptionAllowed(name);
      applyOption(name, args, context);
    }
    const { url, extension } = this.#sources.decode(parts.slice(optionCount));
    if (extension !== '') applyOption('format', [extension], context);
    this.#sources.assertAllowed(url);

    const bytes = toBytes(url);
    const format = effective.get('format');
    const expires = effective.get('expires');
    return {
      ...describe(verified),
      source: { bytes, text: toText(bytes) },
      options: effective.toSortedPairs(),
      ...(format !== undefined && { format }),
      ...(expires !== undefined && { expires: Number(expires) }),
    };
  }

  #verified(requestUri: string | Uint8Array): SplitRequestUri {
    const split = splitRequestUri(bytesOf(requestUri), this.#pathPrefix);
    verifySignature(split.signature, split.path, this.#config);
    return split;
  }

  #assertOptionAllowed(name: ByteString): void {
    const { allowedProcessingOptions } = this.#config;
    const readableName = toReadableText(name);
    if (allowedProcessingOptions.length === 0 || allowedProcessingOptions.includes(readableName)) return;
    throw UrlError.invalid(`Forbidden processing option ${readableName}`);
  }
}

function bytesOf(requestUri: string | Uint8Array): ByteString {
  if (typeof requestUri !== 'string' && !types.isUint8Array(requestUri))
    throw new TypeError(`A request URI must be a string or a Uint8Array, it is ${valueType(requestUri)}`);
  if (typeof requestUri === 'string' && !requestUri.isWellFormed())
    throw UrlError.invalid('Invalid path: it has a lone surrogate, for which there are no bytes');
  return toByteString(requestUri);
}

function describe({ signature, path }: SplitRequestUri): SignedPath {
  return { signature: toReadableText(signature), signedPath: toReadableText(signedBytes(path)) };
}
