import { listsTag } from './entity-tag.js';
import { parseHttpDate } from './http-date.js';

/** The lines of each conditional request field, by its name in lower case. */
export type ConditionalFields = Readonly<
  Partial<Record<(typeof CONDITIONAL_FIELDS)[number], readonly string[]>>
>;

export const CONDITIONAL_FIELDS = [
  'if-match',
  'if-unmodified-since',
  'if-none-match',
  'if-modified-since',
  'range',
  'if-range',
] as const;

/** The validators of an image. */
export interface Validators {
  /** Strong. Absent for an image whose bytes are not known yet. */
  readonly etag: string | undefined;
  /** In milliseconds since the Unix epoch, whole seconds. */
  readonly lastModified: number | undefined;
}

/** Evaluates preconditions in the order of RFC 9110, section 13.2.2, for `GET` and `HEAD`. */
export function evaluatePreconditions(
  fields: ConditionalFields,
  { etag, lastModified }: Validators,
): 'proceed' | 'not-modified' | 'failed' {
  const ifMatch = fields['if-match'];
  const ifNoneMatch = fields['if-none-match'];
  if (ifMatch !== undefined) {
    if (!listsTag(ifMatch, etag, 'strong')) return 'failed';
  } else if (lastModified !== undefined) {
    const date = dateOf(fields['if-unmodified-since']);
    if (date !== undefined && lastModified > date) return 'failed';
  }
  if (ifNoneMatch !== undefined) return listsTag(ifNoneMatch, etag, 'weak') ? 'not-modified' : 'proceed';
  if (lastModified !== undefined) {
    const date = dateOf(fields['if-modified-since']);
    if (date !== undefined && lastModified <= date) return 'not-modified';
  }
  return 'proceed';
}

/**
 * The `Range` field to apply: the client has sent one line, and `If-Range` allows it. Only the strong tag does: a date has
 * seconds only, so it cannot prove that the client's part belongs to these bytes.
 */
export function applicableRange(fields: ConditionalFields, etag: string | undefined): string | undefined {
  const [range, ...others] = fields.range ?? [];
  if (range === undefined || others.length > 0) return undefined;
  const ifRange = fields['if-range'];
  if (ifRange !== undefined && (ifRange.length > 1 || ifRange[0] !== etag)) return undefined;
  return range;
}

/** A field with several lines, or without a valid date, is ignored (RFC 9110, sections 13.1.3 and 13.1.4). */
function dateOf(lines: readonly string[] | undefined): number | undefined {
  return lines?.length === 1 ? parseHttpDate(lines[0] ?? '') : undefined;
}
