import { isUtf8 } from 'node:buffer';

/**
 * Bytes held in a string, one character each, so that they can be split and matched like text.
 * URLs are bytes to imgproxy: what is signed, and what a source is called, need not be valid UTF-8.
 */
export type ByteString = string;

/** @throws TypeError when a string has lone surrogates: no bytes stand for them. */
export function toByteString(input: string | Uint8Array): ByteString {
  if (typeof input !== 'string') return Buffer.from(input).toString('latin1');
  if (!input.isWellFormed()) throw new TypeError('The text has a lone surrogate, which UTF-8 cannot express');
  return Buffer.from(input).toString('latin1');
}

export function toBytes(bytes: ByteString): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** The text that the bytes are, or undefined when they are not valid UTF-8. */
export function toText(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** The text for people to read: what is not UTF-8 is shown as U+FFFD. */
export function toReadableText(bytes: ByteString): string {
  return toBytes(bytes).toString('utf8');
}

/** Go's `url.PathUnescape`: `%` needs two hex digits, `+` stays; undefined when an escape is malformed. */
export function percentDecode(bytes: ByteString): ByteString | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(bytes)) return undefined;
  return bytes.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/**
 * Go's `base64.RawURLEncoding`: no padding, only `-` and `_`, line breaks ignored, unused trailing bits
 * ignored; undefined when it cannot be decoded. Node's own decoder takes anything.
 */
export function decodeBase64Url(encoded: ByteString): Buffer | undefined {
  const digits = encoded.replace(/[\r\n]/g, '');
  if (!/^[A-Za-z0-9_-]*$/.test(digits) || digits.length % 4 === 1) return undefined;
  return Buffer.from(digits, 'base64url');
}

/** Base64 without the `=` at its end, however many there are. */
export function trimPadding(encoded: ByteString): ByteString {
  let end = encoded.length;
  while (encoded[end - 1] === '=') end -= 1;
  return encoded.slice(0, end);
}
