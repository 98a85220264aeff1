/** Under which name a client saves an image. */
export interface DispositionSettings {
  /** Without extension, which follows from the type of the image. Blank: `image`. */
  readonly filename: string;
  /** True: save the image instead of showing it. Default: false. */
  readonly attachment?: boolean | undefined;
}

const EXTENSIONS = new Map([
  ['image/jpeg', 'jpg'],
  ['image/svg+xml', 'svg'],
  ['image/x-icon', 'ico'],
  ['image/heif', 'heic'],
]);

/**
 * A `Content-Disposition` as imgproxy writes it. A name with other characters than ASCII is given a second time in UTF-8
 * (RFC 6266, section 4.3), and control characters, slashes and lone surrogates are replaced.
 */
export function contentDisposition(
  { filename, attachment }: DispositionSettings,
  contentType: string,
): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a header must not have them
  const stem = filename.toWellFormed().replace(/[\x00-\x1f\x7f/\\]/g, '_') || 'image';
  const name = `${stem}.${extensionOf(contentType)}`;
  const ascii = name.replace(/[^\x20-\x7e]/gu, '_').replaceAll('"', '%22');
  const type = attachment === true ? 'attachment' : 'inline';
  const extended = /[^\x20-\x7e]/.test(name) ? `; filename*=UTF-8''${encodeExtended(name)}` : '';
  return `${type}; filename="${ascii}"${extended}`;
}

function extensionOf(contentType: string): string {
  const known = EXTENSIONS.get(contentType);
  if (known !== undefined) return known;
  const [, subtype = ''] = contentType.split('/', 2);
  return /^[a-z0-9]+$/.test(subtype) ? subtype : 'bin';
}

// RFC 8187 allows fewer characters than a URL has.
function encodeExtended(text: string): string {
  const hexadecimal = (character: string): string =>
    `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  return encodeURIComponent(text).replace(/['()*]/g, hexadecimal);
}
