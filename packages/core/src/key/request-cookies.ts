import { type Cookie, parseCookieHeader } from './cookie-header.js';
import type { HeaderLine } from './request-headers.js';
import { isRecord, wrongShape } from './wrong-shape.js';

/** A request's cookies: the `Cookie` header, or a record of values by name. */
export type RequestCookies = string | Readonly<Record<string, string | undefined>>;

/**
 * Checks the shape of cookies, except the values in a record: an unlisted cookie may have any value, such as an object
 * made by Express's JSON cookies.
 *
 * @throws TypeError for a Map or any other shape than {@link RequestCookies}
 */
export function checkCookies(cookies: RequestCookies | undefined): void {
  if (cookies === undefined || typeof cookies === 'string' || isRecord(cookies)) return;
  throw wrongShape('cookies', cookies, 'the Cookie header or a record of strings by name');
}

/**
 * The values of each wanted cookie, in the order received: from `cookies` if given, otherwise from the `Cookie` header.
 *
 * @param lines the header's lines
 * @throws TypeError for a value that is not a string, and for cookies that contradict the header
 */
export function readCookies(
  cookies: RequestCookies | undefined,
  lines: readonly HeaderLine[],
  wanted: readonly string[],
): readonly (readonly string[])[] {
  const sent = lines.flatMap(([name, line]) => (name === 'cookie' ? parseCookieHeader(line) : []));
  if (cookies === undefined) return wanted.map((name) => valuesOf(sent, name));
  const given = typeof cookies === 'string' ? parseCookieHeader(cookies) : cookiesOf(cookies, wanted);
  return wanted.map((name) => agreedValues(name, valuesOf(given, name), valuesOf(sent, name)));
}

/** The values of a header or a cookie, in the order received. */
export function valuesOf(pairs: readonly (readonly [string, string])[], wanted: string): string[] {
  return pairs.filter(([name]) => name === wanted).map(([, value]) => value);
}

function cookiesOf(record: Readonly<Record<string, unknown>>, wanted: readonly string[]): Cookie[] {
  const cookies: Cookie[] = [];
  for (const name of wanted) {
    const value = Object.hasOwn(record, name) ? record[name] : undefined;
    if (value === undefined) continue;
    if (typeof value !== 'string') throw wrongShape(`${name} in cookies`, value, 'a string');
    cookies.push([name, value]);
  }
  return cookies;
}

/**
 * Combines the values of a cookie in `cookies` and in the `Cookie` header. If they contradict each other, it is unknown
 * for which of them the image is rendered. A decoded value, or one of several sent values, is no contradiction; then all
 * of them are part of the key.
 */
function agreedValues(name: string, given: readonly string[], sent: readonly string[]): readonly string[] {
  if (sent.length === 0) return given;
  if (given.length === sent.length && given.every((value, at) => value === sent[at])) return given;
  const [only] = given;
  if (given.length === 1 && sent.some((value) => value === only || decoded(value) === only)) {
    return [...given, ...sent];
  }
  throw new TypeError(
    `cookies and the Cookie header of the request to the cache disagree about ${name}, which IMGPROXY_CACHE_KEY_COOKIES makes part of the key: pass headers alone, or in cookies what was sent`,
  );
}

function decoded(value: string): string {
  const bare = value.replace(/^"(.*)"$/, '$1');
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}
