import {
  type ByteString,
  decodeBase64Url,
  encodeBase64Url,
  toByteString,
  toBytes,
  trimPadding,
} from '../byte-string.js';
import { runtimeCrypto } from '../runtime-crypto.js';

const IV_LENGTH = 16;

/**
 * Decrypts a source as imgproxy Pro has it: AES-CBC with PKCS #7 padding, the initialization vector before the rest, in
 * URL-safe base64; undefined when it is malformed or was encrypted with another key.
 */
export function decryptSource(encoded: ByteString, key: Uint8Array): ByteString | undefined {
  const decoded = decodeBase64Url(trimPadding(encoded));
  const crypto = runtimeCrypto();
  if (decoded === undefined || crypto === undefined || decoded.length < 2 * IV_LENGTH) return undefined;
  const bytes = toBytes(decoded);
  try {
    const decipher = crypto.createDecipheriv(algorithm(key), key, bytes.subarray(0, IV_LENGTH));
    return toByteString(decipher.update(bytes.subarray(IV_LENGTH))) + toByteString(decipher.final());
  } catch {
    return undefined;
  }
}

/** @param iv 16 bytes; absent: derived from key and source, so that a source always has the same URL */
export function encryptSource(source: Uint8Array, key: Uint8Array, iv?: Uint8Array): string {
  const crypto = runtimeCrypto();
  if (crypto === undefined)
    throw new TypeError('This runtime has no cryptography of Node.js to encrypt a source with');
  const vector = iv ?? crypto.createHmac('sha256', key).update(source).digest().subarray(0, IV_LENGTH);
  const cipher = crypto.createCipheriv(algorithm(key), key, vector);
  const encrypted = [vector, cipher.update(source), cipher.final()].map((part) => toByteString(part));
  return encodeBase64Url(encrypted.join(''));
}

function algorithm(key: Uint8Array): string {
  return `aes-${key.length * 8}-cbc`;
}
