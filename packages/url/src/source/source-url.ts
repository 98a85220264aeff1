import {
  type ByteString,
  decodeBase64Url,
  percentDecode,
  toByteString,
  toReadableText,
  trimPadding,
} from '../byte-string.js';
import type { UrlConfig } from '../url-config.js';
import { UrlError } from '../url-error.js';
import { SourceReplacement } from './source-replacement.js';
import { UrlPattern } from './url-pattern.js';

export interface DecodedSource {
  readonly url: ByteString;
  /** What follows the source as `@png` or `.png`; empty when nothing does. */
  readonly extension: string;
}

/** Reads the last part of a path: the source, plain or in base64, and its extension. */
export class SourceUrlDecoder {
  readonly #includesFilename: boolean;
  readonly #baseUrl: ByteString;
  readonly #replacements: readonly SourceReplacement[];
  readonly #allowed: readonly UrlPattern[];

  constructor(config: UrlConfig) {
    this.#includesFilename = config.base64UrlIncludesFilename;
    this.#baseUrl = toByteString(config.baseUrl);
    this.#replacements = config.urlReplacements.map((rule) => new SourceReplacement(rule));
    this.#allowed = config.allowedSources.map((pattern) => new UrlPattern(pattern));
  }

  /** @throws UrlError with status 404. */
  decode(parts: readonly ByteString[]): DecodedSource {
    const [first, ...rest] = parts;
    return first === 'plain' && rest.length > 0 ? this.#decodePlain(rest) : this.#decodeBase64(parts);
  }

  /** @throws UrlError with status 404. */
  assertAllowed(url: ByteString): void {
    if (this.#allowed.length === 0 || this.#allowed.some((pattern) => pattern.match(url) !== undefined))
      return;
    throw UrlError.invalid(`Source URL is not allowed: ${toReadableText(url)}`, 'Invalid source URL');
  }

  #decodePlain(parts: readonly ByteString[]): DecodedSource {
    const encoded = parts.join('/');
    const { source, extension } = splitExtension(encoded, '@');
    return { url: this.#resolve(percentDecode(source), encoded), extension };
  }

  #decodeBase64(parts: readonly ByteString[]): DecodedSource {
    const chunks = this.#includesFilename && parts.length > 1 ? parts.slice(0, -1) : parts;
    const encoded = chunks.join('');
    const { source, extension } = splitExtension(encoded, '.');
    const url = decodeBase64Url(trimPadding(source))?.toString('latin1');
    return { url: this.#resolve(url, encoded), extension };
  }

  #resolve(decoded: ByteString | undefined, encoded: ByteString): ByteString {
    if (decoded === undefined) throw UrlError.invalid(`Invalid url encoding: ${toReadableText(encoded)}`);
    const url = this.#replacements.reduce((result, replacement) => replacement.apply(result), decoded);
    return url.startsWith(this.#baseUrl) ? url : this.#baseUrl + url;
  }
}

function splitExtension(encoded: ByteString, mark: string): { source: ByteString; extension: string } {
  const [source = '', extension = '', ...more] = encoded.split(mark);
  if (source === '') throw UrlError.invalid('Image URL is empty');
  if (more.length > 0) throw UrlError.invalid(`Multiple formats are specified: ${toReadableText(encoded)}`);
  return { source, extension };
}
