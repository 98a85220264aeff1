/**
 * Bytes held in a string, one character each, so that they can be split and matched like text.
 * URLs are bytes to imgproxy: what is signed, and what a source is called, need not be valid UTF-8.
 */
export type ByteString = string;

// Arguments of one call: more would overflow the stack.
const CHUNK = 8192;

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenientDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** @throws TypeError when a string has lone surrogates: no bytes stand for them. */
export function toByteString(input: string | Uint8Array): ByteString {
  if (typeof input !== 'string') return fromBytes(input);
  if (isAscii(input)) return input;
  if (!input.isWellFormed()) throw new TypeError('The text has a lone surrogate, which UTF-8 cannot express');
  return fromBytes(encoder.encode(input));
}

export function toBytes(bytes: ByteString): Uint8Array {
  const array = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) array[at] = bytes.charCodeAt(at);
  return array;
}

/** The text that the bytes are, or undefined when they are not valid UTF-8. */
export function toText(bytes: ByteString): string | undefined {
  if (isAscii(bytes)) return bytes;
  try {
    return strictDecoder.decode(toBytes(bytes));
  } catch {
    return undefined;
  }
}

/** The text for people to read: what is not UTF-8 is shown as U+FFFD. */
export function toReadableText(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : lenientDecoder.decode(toBytes(bytes));
}

/** Whether each `%` has two hex digits after it. */
export function hasValidEscapes(bytes: ByteString): boolean {
  return !bytes.includes('%') || !/%(?![0-9A-Fa-f]{2})/.test(bytes);
}

/** Go's `url.PathUnescape`: `%` needs two hex digits, `+` stays; undefined when an escape is malformed. */
export function percentDecode(bytes: ByteString): ByteString | undefined {
  if (!bytes.includes('%')) return bytes;
  if (!hasValidEscapes(bytes)) return undefined;
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const isEscape = bytes[at] === '%';
    decoded[length] = isEscape ? Number.parseInt(bytes.slice(at + 1, at + 3), 16) : bytes.charCodeAt(at);
    length += 1;
    if (isEscape) at += 2;
  }
  return fromBytes(decoded.subarray(0, length));
}

/**
 * Go's `base64.RawURLEncoding`: no padding, only `-` and `_`, line breaks ignored, unused trailing bits
 * ignored; undefined when it cannot be decoded. `atob` takes anything but the alphabet of URLs.
 */
export function decodeBase64Url(encoded: ByteString): ByteString | undefined {
  const digits = encoded.replace(/[\r\n]/g, '');
  if (!/^[A-Za-z0-9_-]*$/.test(digits) || digits.length % 4 === 1) return undefined;
  return atob(digits.replaceAll('-', '+').replaceAll('_', '/'));
}

/** URL-safe base64 without padding. */
export function encodeBase64Url(bytes: ByteString): string {
  return trimPadding(btoa(bytes).replaceAll('+', '-').replaceAll('/', '_'));
}

/** Base64 without the `=` at its end, however many there are. */
export function trimPadding(encoded: ByteString): ByteString {
  let end = encoded.length;
  while (encoded[end - 1] === '=') end -= 1;
  return encoded.slice(0, end);
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  return /^[\x00-\x7f]*$/.test(text);
}

function fromBytes(bytes: Uint8Array): ByteString {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk: ArrayLike<number> = bytes.subarray(at, at + CHUNK);
    // Not spread, which takes each byte out by an iterator.
    text += String.fromCharCode.apply(undefined, chunk as number[]);
  }
  return text;
}
