import { type ByteString, toByteString } from '../byte-string.js';

/** A pattern that matches the beginning of a URL; `*` stands for any bytes but a slash. */
export function compileUrlPattern(pattern: string): RegExp {
  const literals = toByteString(pattern).split('*').map(escapeRegExp);
  return new RegExp(`^${literals.join('([^/]*)')}`);
}

function escapeRegExp(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** `$$`, `${name}` and `$name`; any other `$` stands for itself. */
const REFERENCE = /\$(?:\$|\{([\w\x80-\xff]+)\}|([\w\x80-\xff]+))/g;

/**
 * Fills a replacement by Go's `regexp.Expand`: a name is as long as it can be, so `$1x` names `1x` and not 1,
 * and what names no group is empty.
 */
export function expandReplacement(template: ByteString, groups: readonly (string | undefined)[]): ByteString {
  return template.replace(REFERENCE, (reference, braced?: string, bare?: string) => {
    if (reference === '$$') return '$';
    const name = braced ?? bare ?? '';
    return /^(?:0|[1-9][0-9]*)$/.test(name) ? (groups[Number(name)] ?? '') : '';
  });
}
