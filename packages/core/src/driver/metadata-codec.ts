import { CacheError } from './cache-error.js';
import { type EntryMetadata, FORMAT_VERSION, type ImageDimensions } from './entry-metadata.js';

/** Longest encoded value, in bytes. Swift has the lowest limit of the known stores. */
export const MAX_FIELD_BYTES = 256;

/** Largest total of all names and values, in bytes. It leaves room within the 2 KB of S3 for the store's own. */
export const MAX_METADATA_BYTES = 1536;

/**
 * Metadata in a form that every store can keep: names `[a-z][a-z0-9]*`, and non-empty values of printable ASCII without
 * leading or trailing blanks.
 */
export type MetadataFields = Readonly<Record<string, string>>;

const CONTENT_TYPE = /^image\/[a-z0-9][a-z0-9.+-]{0,100}$/;
const DIGITS = /^(?:0|[1-9][0-9]{0,15})$/;
const CRC32 = /^[0-9a-f]{8}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const CONTROL = /[\x00-\x1f\x7f]/;
const ENCODED = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

const DIMENSIONS = [
  ['originWidth', 'originwidth'],
  ['originHeight', 'originheight'],
  ['originBytes', 'originbytes'],
  ['resultWidth', 'resultwidth'],
  ['resultHeight', 'resultheight'],
] as const satisfies readonly (readonly [keyof ImageDimensions, string])[];

const TEXTS = [
  ['etag', 'etag'],
  ['lastModified', 'lastmodified'],
  ['cacheControl', 'cachecontrol'],
] as const satisfies readonly (readonly [keyof EntryMetadata, string])[];

/** Whether an entry may have this media type: `image/*`, in lower case, without parameters. */
export function isImageContentType(value: string): boolean {
  return CONTENT_TYPE.test(value);
}

// By metadata that core has checked, and that nothing changes any more.
const encoded = new WeakMap<EntryMetadata, MetadataFields>();

/**
 * Checks that metadata can be stored, and keeps its fields for the driver's {@link encodeMetadata}.
 * @param metadata not changed afterwards
 * @throws CacheError as {@link encodeMetadata}
 */
export function encodeAhead(metadata: EntryMetadata): void {
  encoded.set(metadata, encodeMetadata(metadata));
}

/**
 * Encodes metadata as fields for the store.
 * @throws CacheError `ERR_CACHE_UNSUPPORTED` for a value that is not allowed,
 *   `ERR_CACHE_TOO_LARGE` past {@link MAX_FIELD_BYTES} or {@link MAX_METADATA_BYTES}.
 */
export function encodeMetadata(metadata: EntryMetadata): MetadataFields {
  const known = encoded.get(metadata);
  if (known !== undefined) return { ...known };
  const fields: Record<string, string> = { version: String(FORMAT_VERSION) };
  fields['name'] = encodeText('name', metadata.name);
  if (!isImageContentType(metadata.contentType)) {
    throw unsupported(
      `content type ${JSON.stringify(metadata.contentType)} is not an image's: an entry needs a lower-case image/* type without parameters`,
    );
  }
  fields['type'] = metadata.contentType;
  fields['size'] = encodeInteger('size', metadata.size);
  fields['crc32'] = encodeCrc32(metadata.crc32);
  fields['created'] = encodeInteger('created', metadata.created);
  if (metadata.expires !== undefined) fields['expires'] = encodeInteger('expires', metadata.expires);
  for (const [property, field] of TEXTS) {
    const text = metadata[property];
    if (text !== undefined && text !== '') fields[field] = encodeText(property, text);
  }
  if (metadata.tags !== undefined && metadata.tags.length > 0) {
    fields['tags'] = encodeTags(metadata.tags);
  }
  for (const [property, field] of DIMENSIONS) {
    const size = metadata.dimensions?.[property];
    if (size !== undefined) fields[field] = encodeInteger(property, size);
  }
  const total = Object.entries(fields).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (total > MAX_METADATA_BYTES) {
    throw tooLarge(
      `metadata takes ${total} bytes, at most ${MAX_METADATA_BYTES} are allowed: use fewer or shorter tags`,
    );
  }
  return fields;
}

/**
 * Decodes fields. Each is validated, since others may write to the store; unknown fields are ignored. The driver must
 * make sure that values are strings if its store can return anything else, such as numbers in JSON.
 * @throws CacheError `ERR_CACHE_CORRUPT` if a value is missing or malformed,
 *   `ERR_CACHE_UNSUPPORTED` if the entry has another format version
 */
export function decodeMetadata(fields: Readonly<Record<string, string | undefined>>): EntryMetadata {
  const version = decodeInteger('version', fields['version']);
  if (version !== FORMAT_VERSION) {
    throw unsupported(`entry has format version ${version}, this software reads version ${FORMAT_VERSION}`);
  }
  const contentType = required('type', fields['type']);
  if (!isImageContentType(contentType)) throw corrupt('type', 'is not an image type');
  const crc32 = required('crc32', fields['crc32']);
  if (!CRC32.test(crc32)) throw corrupt('crc32', 'is not 8 hexadecimal digits');
  const metadata: Mutable<EntryMetadata> = {
    name: decodeText('name', required('name', fields['name'])),
    contentType,
    size: decodeInteger('size', fields['size']),
    crc32: Number.parseInt(crc32, 16),
    created: decodeInteger('created', fields['created']),
  };
  if (fields['expires'] !== undefined) metadata.expires = decodeInteger('expires', fields['expires']);
  for (const [property, field] of TEXTS) {
    const value = fields[field];
    if (value !== undefined) metadata[property] = decodeText(field, value);
  }
  if (fields['tags'] !== undefined) {
    metadata.tags = checkedField('tags', fields['tags'])
      .split(',')
      .map((tag) => decodeText('tags', tag));
  }
  const dimensions: Mutable<ImageDimensions> = {};
  for (const [property, field] of DIMENSIONS) {
    const value = fields[field];
    if (value !== undefined) dimensions[property] = decodeInteger(field, value);
  }
  if (Object.keys(dimensions).length > 0) metadata.dimensions = dimensions;
  return metadata;
}

type Mutable<T> = { -readonly [Property in keyof T]: T[Property] };

// Percent-encodes, as UTF-8, "%" and everything but printable ASCII, and leading and trailing blanks, which HTTP would
// trim.
function encodeText(field: string, text: string): string {
  if (text === '') throw unsupported(`${field} is empty`);
  if (!text.isWellFormed()) throw unsupported(`${field} is not well-formed Unicode`);
  if (CONTROL.test(text)) throw unsupported(`${field} has a control character`);
  const encoded = text.replace(/[^\x20-\x7e]|%|^ | $/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
      '',
    ),
  );
  return fitting(field, encoded);
}

function decodeText(field: string, value: string): string {
  checkedField(field, value);
  if (!value.includes('%')) return value;
  const text = unescapedText(field, value);
  // A line break would end a header that a host builds from the value.
  if (CONTROL.test(text)) throw corrupt(field, 'has a control character');
  return text;
}

function unescapedText(field: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw corrupt(field, 'has a malformed percent escape');
  }
}

function encodeTags(tags: readonly string[]): string {
  const encoded = tags.map((tag) => encodeText('a tag', tag).replaceAll(',', '%2C'));
  return fitting('tags', encoded.join(','));
}

function fitting(field: string, encoded: string): string {
  if (encoded.length > MAX_FIELD_BYTES) {
    throw tooLarge(`${field} takes ${encoded.length} bytes encoded, at most ${MAX_FIELD_BYTES} are allowed`);
  }
  return encoded;
}

function encodeInteger(field: string, value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw unsupported(`${field} is ${value}, not a whole number from 0 to 2^53 - 1`);
  }
  return String(value);
}

function encodeCrc32(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw unsupported(`crc32 is ${value}, not an unsigned 32-bit number`);
  }
  return value.toString(16).padStart(8, '0');
}

function decodeInteger(field: string, value: string | undefined): number {
  const digits = required(field, value);
  const number = Number(digits);
  if (!DIGITS.test(digits) || !Number.isSafeInteger(number)) throw corrupt(field, 'is not a whole number');
  return number;
}

function required(field: string, value: string | undefined): string {
  if (value === undefined) throw corrupt(field, 'is missing');
  return value;
}

function checkedField(field: string, value: string): string {
  if (value.length > MAX_FIELD_BYTES || !ENCODED.test(value)) {
    throw corrupt(field, `is not 1 to ${MAX_FIELD_BYTES} printable ASCII characters`);
  }
  return value;
}

function corrupt(field: string, problem: string): CacheError {
  return new CacheError('ERR_CACHE_CORRUPT', `metadata field ${field} ${problem}`, { operation: 'get' });
}

function unsupported(message: string): CacheError {
  return new CacheError('ERR_CACHE_UNSUPPORTED', message);
}

function tooLarge(message: string): CacheError {
  return new CacheError('ERR_CACHE_TOO_LARGE', message, { operation: 'put' });
}
