import { type ByteString, encodeBase64Url } from '../byte-string.js';

/**
 * How a source stands in a URL: in URL-safe base64, as text that people can read, or encrypted with imgproxy Pro's key.
 */
export type SourceEncoding = 'base64' | 'plain' | 'encrypted';

/** A source in base64, with the extension that asks for a format. */
export function base64Source(source: ByteString, extension: string | undefined): string {
  return encodeBase64Url(source) + (extension === undefined ? '' : `.${extension}`);
}

/**
 * A source as text. Escaped is what would end it, what clients escape or change themselves, and what imgproxy takes for
 * the change of a proxy.
 */
export function plainSource(source: ByteString, extension: string | undefined): string {
  const escaped = source
    .replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:/]/g, percentEncode)
    // Clients resolve "." and ".." between slashes.
    .replace(/\/(?=\.{1,2}(?:\/|$))/g, '%2F')
    .replace(/^(\.{1,2})\//, '$1%2F');
  // A single slash after a colon would be made two.
  const safe = /:\/(?!\/)/.test(escaped) ? escaped.replaceAll(':', '%3A') : escaped;
  return `plain/${safe}${extension === undefined ? '' : `@${extension}`}`;
}

function percentEncode(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
