import { type ByteString, hasValidEscapes, percentDecode, toReadableText } from './byte-string.js';
import { UrlError } from './url-error.js';

export interface SplitRequestUri {
  readonly signature: ByteString;
  /** What follows the signature's slash, with what proxies do to URLs undone. */
  readonly path: ByteString;
}

/**
 * Splits a request URI into signature and path, by imgproxy's rules and in its order: the query is dropped,
 * then the prefix, then one slash more.
 *
 * @throws UrlError with status 404.
 */
export function splitRequestUri(requestUri: ByteString, pathPrefix: ByteString): SplitRequestUri {
  const target = withoutQuery(requestUri);
  const prefix = `${pathPrefix}/`;
  if (!hasValidEscapes(target)) throw UrlError.invalid('Invalid path: it has a malformed percent-escape');
  if (!isRouted(target, prefix)) {
    throw UrlError.invalid(`Invalid path: it does not start with ${toReadableText(prefix)}`);
  }
  const rest = trimPrefix(trimPrefix(target, prefix), '/');
  const slash = rest.indexOf('/');
  const signature = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? '' : rest.slice(slash + 1);
  if (signature === '' || path === '') throw UrlError.invalid(`Invalid path: ${toReadableText(path)}`);
  return { signature, path: undoNormalization(path) };
}

/** Whether a URL belongs to imgproxy Pro's route for information about images. */
export function isInfoUri(requestUri: ByteString, pathPrefix: ByteString): boolean {
  return isRouted(withoutQuery(requestUri), `${pathPrefix}/info/`);
}

function withoutQuery(requestUri: ByteString): ByteString {
  const query = requestUri.indexOf('?');
  return query < 0 ? requestUri : requestUri.slice(0, query);
}

/** imgproxy routes by the decoded path and trims the raw one. */
function isRouted(target: ByteString, prefix: ByteString): boolean {
  if (target.startsWith(prefix)) return true;
  // No more than the beginning can be the prefix, each byte of which takes three at most.
  const beginning = target.slice(0, 3 * prefix.length).replace(/%.?$/, '');
  return beginning.includes('%') && percentDecode(beginning)?.startsWith(prefix) === true;
}

const PLAIN = '/plain/';

/** Some proxies encode colons in the options, and some make `://` one slash. */
function undoNormalization(path: ByteString): ByteString {
  const sourceStart = path.startsWith('plain/') ? PLAIN.length - 1 : endOf(PLAIN, path);
  const options = path.slice(0, sourceStart);
  const source = path.slice(sourceStart);
  const fixed = options.includes('%3A') ? options.replaceAll('%3A', ':') : options;
  return trimPrefix(fixed + restoreScheme(source), '/');
}

function endOf(mark: string, text: string): number {
  const start = text.indexOf(mark);
  return start < 0 ? text.length : start + mark.length;
}

/**
 * `http:/host` becomes `http://host`. The rule is greedy as imgproxy's is, so the last `:/` before another
 * character than a slash is the one that is mended, even in the middle of a path.
 */
function restoreScheme(source: ByteString): ByteString {
  if (!/:\/[^/]/.test(source)) return source;
  return source.replace(/^([^\t\n\f\r ]+):\/([^/])/, (_, scheme: string, next: string) =>
    scheme === 'local' ? `local:///${next}` : `${scheme}://${next}`,
  );
}

function trimPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}
