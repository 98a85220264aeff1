import { parseGoFloat, parseGoInteger } from './go-values.js';

/** A request's headers: Node's `headersDistinct` or `headers`, or the Fetch API's `Headers`. */
export type RequestHeaders =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | { get(name: string): string | null };

/** The headers with which clients give hints, as `Vary` names them. */
export const CLIENT_HINT_HEADERS: readonly string[] = ['Sec-CH-DPR', 'DPR', 'Sec-CH-Width', 'Width'];

/** The first line of a header; names are in lower case. */
export function firstLine(headers: RequestHeaders, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined;
  const value = (headers as Readonly<Record<string, string | readonly string[] | undefined>>)[name];
  const line: unknown = Array.isArray(value) ? value[0] : value;
  return typeof line === 'string' ? line : undefined;
}

/** What a client's hints say of the picture, for options that a URL overrides: `dpr` and `width`. */
export function hintedOptions(headers: RequestHeaders): ReadonlyMap<string, string> {
  const ratio = firstValid(headers, ['sec-ch-dpr', 'dpr'], (line) => {
    const value = parseGoFloat(line);
    return value !== undefined && value > 0 && value <= 8 ? value : undefined;
  });
  const width = firstValid(headers, ['sec-ch-width', 'width'], (line) => {
    const value = Number(parseGoInteger(line) ?? 0);
    return value > 0 ? value : undefined;
  });
  const options = new Map<string, string>();
  if (ratio !== undefined) options.set('dpr', String(ratio));
  if (width !== undefined) options.set('width', String(Math.round(width / (ratio ?? 1))));
  return options;
}

function firstValid(
  headers: RequestHeaders,
  names: readonly string[],
  read: (line: string) => number | undefined,
): number | undefined {
  for (const name of names) {
    const line = firstLine(headers, name);
    const value = line === undefined ? undefined : read(line);
    if (value !== undefined) return value;
  }
  return undefined;
}
