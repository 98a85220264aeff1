// RFC 9110, section 8.8.3. Sticky, and each alternative begins with another character: linear in the length of a list.
const LIST_ITEM = /[ \t]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y;
const DIGITS_OF_NAME = 16;

/**
 * The strong validator of one variant. The name tells variants apart, size and checksum their bytes.
 *
 * @param name of the entry: it ends with a hash of all that identifies the image
 */
export function entityTag(name: string, size: number, crc32: number): string {
  const key = name.slice(-DIGITS_OF_NAME);
  return `"${key}-${size.toString(36)}-${crc32.toString(36)}"`;
}

/** How two tags are compared: RFC 9110, section 8.8.3.2. */
export type Comparison = 'strong' | 'weak';

/**
 * Whether a list of `If-Match` or `If-None-Match` has a tag. A malformed list has none.
 *
 * @param lines the field's lines, which are one list
 * @param tag strong; `undefined` matches nothing but `*`
 */
export function listsTag(lines: readonly string[], tag: string | undefined, comparison: Comparison): boolean {
  const list = lines.length === 1 ? (lines[0] ?? '') : lines.join(',');
  if (list === tag || list.trim() === '*') return true;
  let found = false;
  LIST_ITEM.lastIndex = 0;
  while (LIST_ITEM.lastIndex < list.length) {
    const item = LIST_ITEM.exec(list);
    if (item === null) return false;
    const [, weak, opaque] = item;
    if (opaque === tag && tag !== undefined && (weak === undefined || comparison === 'weak')) found = true;
  }
  return found;
}
