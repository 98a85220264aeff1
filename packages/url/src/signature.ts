import {
  type ByteString,
  decodeBase64Url,
  encodeBase64Url,
  hasValidEscapes,
  toByteString,
  toBytes,
} from './byte-string.js';
import { checkedConfig } from './checked-config.js';
import { splitRequestUri } from './request-uri.js';
import { runtimeCrypto } from './runtime-crypto.js';
import type { UrlConfig, UrlSettings } from './url-config.js';
import { UrlError } from './url-error.js';
import { valueType } from './value-type.js';

type SigningSettings = Pick<UrlSettings, 'keys' | 'salts' | 'signatureSize' | 'pathPrefix'>;

const LOOKS_LIKE_OPTION =
  'The signature appears to be a processing option. The signature section should always be present in the URL.';

/** What a signature is made of: the path with its leading slash. */
export function signedBytes(path: ByteString): ByteString {
  return path.startsWith('/') ? path : `/${path}`;
}

/**
 * The first `size` bytes of HMAC-SHA256(key; salt, path), as imgproxy computes them.
 */
function computeSignature(path: ByteString, key: Uint8Array, salt: Uint8Array, size: number): Uint8Array {
  const crypto = runtimeCrypto();
  if (crypto === undefined)
    throw new TypeError('This runtime has no cryptography of Node.js to sign paths with');
  return crypto
    .createHmac('sha256', key)
    .update(salt)
    .update(signedBytes(path), 'latin1')
    .digest()
    .subarray(0, size);
}

/** Checks signatures by imgproxy's rules. */
export class SignatureCheck {
  readonly #config: UrlConfig;
  readonly #trusted: ReadonlySet<ByteString>;

  constructor(config: UrlConfig) {
    this.#config = config;
    this.#trusted = new Set(config.trustedSignatures.map(toByteString));
  }

  /**
   * Without keys every signature passes but one that has a colon.
   *
   * @throws UrlError with status 403.
   */
  verify(signature: ByteString, path: ByteString): void {
    const { keys, salts, signatureSize } = this.#config;
    if (keys.length === 0) {
      if (signature.includes(':')) throw UrlError.forbidden(LOOKS_LIKE_OPTION, LOOKS_LIKE_OPTION);
      return;
    }
    if (this.#trusted.has(signature)) return;
    const given = decodeBase64Url(signature);
    if (given === undefined) throw UrlError.forbidden('Invalid signature encoding');
    if (given.length === signatureSize) {
      const bytes = toBytes(given);
      const matches = keys.some((key, index) => {
        const expected = computeSignature(path, key, salts[index] ?? new Uint8Array(), signatureSize);
        return runtimeCrypto()?.timingSafeEqual(bytes, expected) === true;
      });
      if (matches) return;
    }
    throw UrlError.forbidden('Invalid signature');
  }
}

/**
 * Signs a path with the first key and salt.
 *
 * @param path The part of the URL after the signature, with its leading slash:
 *   `/rs:fit:300:200/plain/https://example.com/a.jpg`. A `?` in it must be escaped as `%3F`.
 * @returns The path to request: prefix, signature and path.
 * @throws TypeError when the path cannot be signed, UrlConfigError when the configuration is wrong.
 */
export function signPath(path: string, config: SigningSettings): string {
  const checked = checkedConfig(config);
  if (checked.keys.length === 0) throw new TypeError('A key and a salt are needed to sign a path');
  if (typeof path !== 'string')
    throw new TypeError(`A path to sign must be a string, it is ${valueType(path)}`);
  if (!/^\/./s.test(path)) throw new TypeError('A path to sign starts with "/" and has something after it');
  if (path.includes('?')) throw new TypeError('A path to sign has no query: escape "?" in it as %3F');
  if (!hasValidEscapes(path))
    throw new TypeError('A path to sign has no malformed percent-escape: escape "%" in it as %25');
  return `${checked.pathPrefix}/${signatureOf(path, checked)}${path}`;
}

/** The signature of a path by the first key and salt. */
export function signatureOf(path: string, { keys, salts, signatureSize }: UrlConfig): string {
  const [key = new Uint8Array()] = keys;
  const [salt = new Uint8Array()] = salts;
  const { path: fixedPath } = splitRequestUri(toByteString(`/signature${path}`), '');
  const signature = computeSignature(fixedPath, key, salt, signatureSize);
  return encodeBase64Url(toByteString(signature));
}
