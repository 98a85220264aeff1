import { isRecord, wrongShape } from './wrong-shape.js';

/** A header's value: one line, several lines in the order received, or absent. */
export type HeaderValue = string | readonly string[] | undefined;

/**
 * Request headers: Node's `IncomingMessage.headers` or, better, `headersDistinct`; the Fetch API's `Headers`; or an
 * iterable of pairs. Names ignore case. Node's `rawHeaders`, a flat list, is not accepted.
 */
export type RequestHeaders = Readonly<Record<string, HeaderValue>> | Iterable<readonly [string, string]>;

/** A header's name in lower case, and one line of it. */
export type HeaderLine = readonly [name: string, value: string];

const SHAPES =
  "a record such as Node's request.headersDistinct, the Fetch API's Headers, or pairs of a name and a value";

/**
 * The lines of the wanted headers, in order. The headers are iterated once, since they may be an iterator, and the shape
 * of all of them is checked.
 *
 * @param wanted names in lower case
 * @throws TypeError for headers of any other shape than {@link RequestHeaders}
 */
export function readHeaders(headers: RequestHeaders, wanted: ReadonlySet<string>): readonly HeaderLine[] {
  const given: unknown = headers;
  if (typeof given === 'object' && given !== null && !ArrayBuffer.isView(given)) {
    if (isRecord(given)) return linesOfRecord(given, wanted);
    if (Symbol.iterator in given) {
      // The shape is known, and iterating is slow.
      if (wanted.size === 0 && given instanceof Headers) return [];
      return linesOfPairs(given as Iterable<unknown>, wanted);
    }
  }
  throw wrongShape('headers', given, SHAPES);
}

function linesOfRecord(record: Readonly<Record<string, unknown>>, wanted: ReadonlySet<string>): HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (const name of Object.keys(record)) {
    const value = record[name];
    if (value === undefined) continue;
    const isWanted = wanted.size > 0 && wanted.has(name.toLowerCase());
    if (!Array.isArray(value)) addLine(lines, name, value, isWanted);
    else for (const line of value) addLine(lines, name, line, isWanted);
  }
  return lines;
}

function linesOfPairs(pairs: Iterable<unknown>, wanted: ReadonlySet<string>): HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string') {
      throw wrongShape(
        'an item of headers',
        pair,
        'a pair of a name and a value (rawHeaders is a flat list)',
      );
    }
    const [name, value]: readonly [string, unknown] = pair as [string, unknown];
    addLine(lines, name, value, wanted.has(name.toLowerCase()));
  }
  return lines;
}

function addLine(lines: HeaderLine[], name: string, value: unknown, isWanted: boolean): void {
  if (typeof value !== 'string') throw wrongShape('a value in headers', value, 'a string');
  if (isWanted) lines.push([name.toLowerCase(), value]);
}
