import { crc32 } from 'node:zlib';
import {
  CacheError,
  decodeMetadata,
  type EntryMetadata,
  encodeMetadata,
  isCacheError,
  type MetadataFields,
} from '@imgproxy-cache/core/driver';
import { fsError } from './fs-errors.js';

/*
 * An entry's file is its body, so that any viewer opens it, followed by a trailer of ASCII text:
 *
 *     opening   8 bytes: "\r\n\r\n<!--", or the header of a `free` box behind a container of boxes
 *     fields    JSON of strings, without "--"
 *     footer   40 bytes: " imgproxy-cache/01 <length> <crc32>-->\n"
 *
 * Version, length of the whole trailer and CRC-32 are hexadecimal. The CRC-32 covers the trailer up to its own
 * digits. Footer and largest length are the same in all versions, so that any software can tell a newer
 * version's file from a damaged one.
 */

const FILE_VERSION = 1;
const COMMENT_OPENING = Buffer.from('\r\n\r\n<!--', 'latin1');
const FOOTER = /^ imgproxy-cache\/([0-9a-f]{2}) ([0-9a-f]{8}) ([0-9a-f]{8})-->\n$/;
const FOOTER_BYTES = 40;
const OPENING_BYTES = 8;
// The digits and the "-->\n" after them, which the CRC-32 cannot cover.
const UNCOVERED_BYTES = 12;

/** Longest trailer: a file's last bytes of this number are enough to read its metadata. */
export const MAX_TRAILER_BYTES = 8192;

/** What a trailer says. */
export interface EntryFile {
  readonly metadata: EntryMetadata;
  /** Length of the body, which begins with the file's first byte. */
  readonly bodyBytes: number;
}

/**
 * Makes the bytes that follow a body.
 * @throws CacheError `ERR_CACHE_UNSUPPORTED` or `ERR_CACHE_TOO_LARGE` for metadata that cannot be encoded.
 */
export function encodeTrailer(metadata: EntryMetadata, body: Uint8Array): Buffer {
  // Two hyphens would end the comment; in JSON they only occur inside strings, where one can be escaped.
  const fields = JSON.stringify(encodeMetadata(metadata)).replaceAll('--', '-\\u002d');
  const length = OPENING_BYTES + fields.length + FOOTER_BYTES;
  const trailer = Buffer.allocUnsafe(length);
  if (isBoxContainer(body)) {
    trailer.writeUInt32BE(length, 0);
    trailer.write('free', 4, 'latin1');
  } else {
    trailer.set(COMMENT_OPENING);
  }
  const footer = ` imgproxy-cache/${hexadecimal(FILE_VERSION, 2)} ${hexadecimal(length, 8)} `;
  trailer.write(fields + footer, OPENING_BYTES, 'latin1');
  const checksum = crc32(trailer.subarray(0, length - UNCOVERED_BYTES));
  trailer.write(`${hexadecimal(checksum, 8)}-->\n`, length - UNCOVERED_BYTES, 'latin1');
  return trailer;
}

/**
 * Reads a trailer.
 * @param tail the file's last {@link MAX_TRAILER_BYTES} bytes or more, or the whole of a shorter file.
 * @throws CacheError `ERR_CACHE_CORRUPT`, or `ERR_CACHE_UNSUPPORTED` for the file of a newer version.
 */
export function decodeEntryFile(tail: Buffer, fileBytes: number, path: string): EntryFile {
  try {
    const { fields, length } = decodeTrailer(tail);
    const metadata = decodeMetadata(fields);
    const bodyBytes = fileBytes - length;
    if (bodyBytes !== metadata.size) {
      throw corrupt(`it holds a body of ${bodyBytes} bytes, its metadata says ${metadata.size}`);
    }
    return { metadata, bodyBytes };
  } catch (thrown) {
    if (!isCacheError(thrown)) throw thrown;
    throw fsError(thrown.code, `cannot use the entry ${path}: ${thrown.message}`, 'get', thrown);
  }
}

function decodeTrailer(tail: Buffer): { fields: MetadataFields; length: number } {
  const footer = FOOTER.exec(tail.toString('latin1', Math.max(0, tail.length - FOOTER_BYTES)));
  if (footer === null)
    throw corrupt('it does not end like an entry: truncated, or not written by this cache');
  const [, version = '', lengthDigits = '', checksum = ''] = footer;
  const length = Number.parseInt(lengthDigits, 16);
  const start = tail.length - length;
  if (length < OPENING_BYTES + FOOTER_BYTES || length > MAX_TRAILER_BYTES || start < 0) {
    throw corrupt(`its trailer cannot have ${length} bytes`);
  }
  const covered = tail.subarray(start, tail.length - UNCOVERED_BYTES);
  if (crc32(covered) !== Number.parseInt(checksum, 16))
    throw corrupt('its metadata does not have its CRC-32');
  if (Number.parseInt(version, 16) !== FILE_VERSION) {
    throw new CacheError(
      'ERR_CACHE_UNSUPPORTED',
      `its file format is version ${Number.parseInt(version, 16)}, this software reads version ${FILE_VERSION}`,
    );
  }
  const text = tail.toString('latin1', start + OPENING_BYTES, tail.length - FOOTER_BYTES);
  return { fields: parseFields(text), length };
}

function parseFields(text: string): MetadataFields {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw corrupt('its metadata is not JSON');
  }
  if (!isFields(fields)) throw corrupt('its metadata is not an object of strings');
  return fields;
}

function isFields(value: unknown): value is MetadataFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const field of Object.values(value)) if (typeof field !== 'string') return false;
  return true;
}

// AVIF, HEIF and the boxed form of JPEG XL are sequences of boxes, and strict readers take what follows for one
// more. Other formats know their own end, or are markup.
function isBoxContainer(body: Uint8Array): boolean {
  const type = String.fromCharCode(...body.subarray(4, 8));
  return type === 'ftyp' || type === 'JXL ';
}

function hexadecimal(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function corrupt(problem: string): CacheError {
  return new CacheError('ERR_CACHE_CORRUPT', problem);
}
