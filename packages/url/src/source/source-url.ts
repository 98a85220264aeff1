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
import { decryptSource } from './encrypted-source.js';
import { SourceReplacement } from './source-replacement.js';
import { UrlPattern } from './url-pattern.js';

/** Beginnings of sources that are not in base64. */
const PLAIN = 'plain/';
const ENCRYPTED = 'enc/';

export interface DecodedSource {
  /** The source's URL; of one that cannot be decrypted, its encrypted text. */
  readonly url: ByteString;
  /** Whether the URL is encrypted text. */
  readonly isEncrypted: boolean;
  /** What follows the source as `@png` or `.png`; empty when nothing does. */
  readonly extension: string;
}

/** Reads the last part of a path: the source, plain, in base64 or encrypted, and its extension. */
export class SourceUrlDecoder {
  readonly #includesFilename: boolean;
  readonly #readsEncrypted: boolean;
  readonly #encryptionKey: Uint8Array | undefined;
  readonly #baseUrl: ByteString;
  readonly #replacements: readonly SourceReplacement[];
  readonly #allowed: readonly UrlPattern[];

  constructor(config: UrlConfig) {
    this.#includesFilename = config.base64UrlIncludesFilename;
    this.#encryptionKey = config.sourceUrlEncryptionKey;
    this.#readsEncrypted = config.pro || config.sourceUrlEncryptionKey !== undefined;
    this.#baseUrl = toByteString(config.baseUrl);
    this.#replacements = config.urlReplacements.map((rule) => new SourceReplacement(rule));
    this.#allowed = config.allowedSources.map((pattern) => new UrlPattern(pattern));
  }

  /**
   * @param part what follows the options in a path
   * @throws UrlError with status 404.
   */
  decode(part: ByteString): DecodedSource {
    if (part.startsWith(PLAIN)) return this.#decodePlain(part.slice(PLAIN.length));
    if (part.startsWith(ENCRYPTED) && this.#readsEncrypted)
      return this.#decodeEncrypted(part.slice(ENCRYPTED.length));
    const encoded = this.#join(part);
    const { source, extension } = splitExtension(encoded, '.');
    return this.#found(decodeBase64Url(trimPadding(source)), encoded, extension);
  }

  /** @throws UrlError with status 404. */
  assertAllowed({ url, isEncrypted }: DecodedSource): void {
    if (this.#allowed.length === 0) return;
    if (isEncrypted) {
      const message = 'Source URL is encrypted, and without the key it is not known whether it is allowed';
      throw UrlError.invalid(message, 'Invalid source URL');
    }
    if (this.#allowed.some((pattern) => pattern.match(url) !== undefined)) return;
    throw UrlError.invalid(`Source URL is not allowed: ${toReadableText(url)}`, 'Invalid source URL');
  }

  /** The URL of a source that a URL names: after replacements, and with the base URL. */
  resolve(named: ByteString): ByteString {
    const url = this.#replacements.reduce((result, replacement) => replacement.apply(result), named);
    return url.startsWith(this.#baseUrl) ? url : this.#baseUrl + url;
  }

  #decodePlain(encoded: ByteString): DecodedSource {
    const { source, extension } = splitExtension(encoded, '@');
    return this.#found(percentDecode(source), encoded, extension);
  }

  #decodeEncrypted(part: ByteString): DecodedSource {
    const encoded = this.#join(part);
    const { source, extension } = splitExtension(encoded, '.');
    if (this.#encryptionKey !== undefined)
      return this.#found(decryptSource(source, this.#encryptionKey), encoded, extension);
    return { url: trimPadding(source), isEncrypted: true, extension };
  }

  /** Base64 may be cut in chunks, and a name for people may follow. */
  #join(part: ByteString): ByteString {
    const slash = part.lastIndexOf('/');
    if (slash < 0) return part;
    return (this.#includesFilename ? part.slice(0, slash) : part).replaceAll('/', '');
  }

  #found(decoded: ByteString | undefined, encoded: ByteString, extension: string): DecodedSource {
    if (decoded === undefined) throw UrlError.invalid(`Invalid url encoding: ${toReadableText(encoded)}`);
    return { url: this.resolve(decoded), isEncrypted: false, extension };
  }
}

function splitExtension(encoded: ByteString, mark: string): { source: ByteString; extension: string } {
  const end = encoded.indexOf(mark);
  const source = end < 0 ? encoded : encoded.slice(0, end);
  const extension = end < 0 ? '' : encoded.slice(end + 1);
  if (source === '') throw UrlError.invalid('Image URL is empty');
  if (extension.includes(mark))
    throw UrlError.invalid(`Multiple formats are specified: ${toReadableText(encoded)}`);
  return { source, extension };
}
