import { MalformedValueError } from './malformed-value-error.js';
import { valueType } from './value-type.js';

/**
 * Reads a list of keys or salts as `IMGPROXY_KEY` and `IMGPROXY_SALT` have it: hexadecimal items with commas
 * between them, each trimmed. An empty item is an empty key; blank text is an empty list.
 *
 * @throws MalformedValueError that names the item by its place and never shows it.
 */
export function parseHexList(text: string): readonly Uint8Array[] {
  if (typeof text !== 'string') throw new MalformedValueError(`must be a string, it is ${valueType(text)}`);
  if (text.trim() === '') return [];
  const items = text.split(',').map((item) => item.trim());
  return items.map((item, index) => {
    const bytes = hexBytes(item);
    if (bytes !== undefined) return bytes;
    const place = `item ${index + 1} of ${items.length}`;
    throw new MalformedValueError(
      `must be hexadecimal, two digits a byte, with commas between items: ${place} is not`,
    );
  });
}

/** The bytes that hexadecimal text stands for; undefined when it is none. */
export function hexBytes(text: string): Uint8Array | undefined {
  if (!/^(?:[0-9A-Fa-f]{2})*$/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
  );
}
