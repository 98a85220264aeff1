import type { RequestHeaders } from '@imgproxy-cache/core';
import { CONDITIONAL_FIELDS, type ConditionalFields } from './preconditions.js';

const NAMES: ReadonlySet<string> = new Set(CONDITIONAL_FIELDS);

/** The conditional fields of a request whose headers have any of the shapes that the cache takes. */
export function conditionalFieldsOf(headers: RequestHeaders): ConditionalFields {
  const found: Record<string, string[]> = {};
  if (headers instanceof Headers) {
    for (const name of CONDITIONAL_FIELDS) {
      const value = headers.get(name);
      if (value !== null) found[name] = [value];
    }
    return found;
  }
  const pairs = isIterable(headers) ? headers : Object.entries(headers);
  for (const [name, value] of pairs) {
    const lowerCased = name.toLowerCase();
    if (value === undefined || !NAMES.has(lowerCased)) continue;
    const lines = found[lowerCased] ?? [];
    found[lowerCased] = lines.concat(value);
  }
  return found;
}

function isIterable(headers: RequestHeaders): headers is Iterable<readonly [string, string]> {
  return Symbol.iterator in headers;
}
