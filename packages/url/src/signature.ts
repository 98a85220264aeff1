import { createHmac, timingSafeEqual } from 'node:crypto';
import { type ByteString, decodeBase64Url, percentDecode, toByteString, toBytes } from './byte-string.js';
import { splitRequestUri } from './request-uri.js';
import { checkedConfig, type UrlConfig, type UrlSettings } from './url-config.js';
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
function computeSignature(path: ByteString, key: Uint8Array, salt: Uint8Array, size: number): Buffer {
  return createHmac('sha256', key)
    .update(salt)
    .update(toBytes(signedBytes(path)))
    .digest()
    .subarray(0, size);
}

/**
 * Checks a signature by imgproxy's rules. Without keys every signature passes but one that has a colon.
 *
 * @throws UrlError with status 403.
 */
export function verifySignature(signature: ByteString, path: ByteString, config: UrlConfig): void {
  if (config.keys.length === 0) {
    if (signature.includes(':')) throw UrlError.forbidden(LOOKS_LIKE_OPTION, LOOKS_LIKE_OPTION);
    return;
  }
  if (config.trustedSignatures.some((trusted) => toByteString(trusted) === signature)) return;
  const given = decodeBase64Url(signature);
  if (given === undefined) throw UrlError.forbidden('Invalid signature encoding');
  const matches = config.keys.some((key, index) => {
    const salt = config.salts[index] ?? new Uint8Array();
    const expected = computeSignature(path, key, salt, config.signatureSize);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!matches) throw UrlError.forbidden('Invalid signature');
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
  const { keys, salts, signatureSize, pathPrefix } = checkedConfig(config);
  const [key] = keys;
  const [salt] = salts;
  if (key === undefined || salt === undefined)
    throw new TypeError('A key and a salt are needed to sign a path');
  if (typeof path !== 'string')
    throw new TypeError(`A path to sign must be a string, it is ${valueType(path)}`);
  if (!/^\/./s.test(path)) throw new TypeError('A path to sign starts with "/" and has something after it');
  if (path.includes('?')) throw new TypeError('A path to sign has no query: escape "?" in it as %3F');
  const bytes = toByteString(`/signature${path}`);
  if (percentDecode(bytes) === undefined)
    throw new TypeError('A path to sign has no malformed percent-escape: escape "%" in it as %25');
  const { path: fixedPath } = splitRequestUri(bytes, '');
  const signature = computeSignature(fixedPath, key, salt, signatureSize).toString('base64url');
  return `${pathPrefix}/${signature}${path}`;
}
