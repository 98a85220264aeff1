/** A cookie as it was sent: not decoded, quotes included. */
export type Cookie = readonly [name: string, value: string];

/**
 * Parses a `Cookie` header as user agents write it (RFC 6265, sections 4.2 and 5.4): pairs separated
 * by semicolons, blanks around names and values trimmed, names case-sensitive, repeated names kept in order.
 * A piece without "=" is a cookie without a name, which RFC 6265bis lets browsers send.
 */
export function parseCookieHeader(header: string): Cookie[] {
  const cookies: Cookie[] = [];
  for (const piece of header.split(';')) {
    const separator = piece.indexOf('=');
    const name = separator === -1 ? '' : trimBlanks(piece.slice(0, separator));
    const value = trimBlanks(separator === -1 ? piece : piece.slice(separator + 1));
    if (name !== '' || value !== '') cookies.push([name, value]);
  }
  return cookies;
}

// String.trim would also remove other white space, and so make different values equal.
function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
