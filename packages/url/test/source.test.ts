import { toCacheRequest, type UrlConfig, UrlParser } from '@imgproxy-cache/url';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './refusal.js';

const parse = (path: string | Uint8Array, config: Partial<UrlConfig> = {}) =>
  new UrlParser(config).parse(path);
const sourceOf = (path: string, config: Partial<UrlConfig> = {}) => parse(path, config).source.text;
const messageOf = (path: string, config: Partial<UrlConfig> = {}) =>
  refusalOf(() => parse(path, config)).message;

describe('splitting a request', () => {
  it('drops the query, even a malformed one', () => {
    expect(sourceOf('/s/plain/http://e.com/a?b=%zz/plain/c')).toBe('http://e.com/a');
  });

  it('mends the last ":/" of a plain source, even where that breaks it', () => {
    expect(sourceOf('/s/plain/http:/e.com/x:/y')).toBe('http:/e.com/x://y');
    expect(sourceOf('/s/plain/local:/a.jpg')).toBe('local:///a.jpg');
    expect(sourceOf('/s/plain/http:/')).toBe('http:/');
  });

  it('takes an encoded colon for a colon in the options only', () => {
    expect(parse('/s/w%3A5/plain/a%3Ab').signedPath).toBe('/w:5/plain/a%3Ab');
  });

  it('drops one slash after the signature, and one more from what is read', () => {
    expect(parse('/s///w:1/plain/x')).toMatchObject({
      signedPath: '/w:1/plain/x',
      options: [['width', '1']],
    });
  });

  it.each([
    ['/', ''],
    ['/s', ''],
    ['/s/', ''],
    ['///w:1/plain/x', 'w:1/plain/x'],
    ['/?/s/plain/x', ''],
  ])('%s has no signature or no path', (uri, path) => {
    expect(messageOf(uri)).toBe(`Invalid path: ${path}`);
  });

  it('routes by the decoded prefix and trims the raw one', () => {
    const config = { pathPrefix: '/img' };
    expect(parse('/img/s/w:1/plain/x', config).signature).toBe('s');
    expect(parse('/%69mg/w:1/plain/x', config).signature).toBe('%69mg');
    expect(messageOf('/image/s/plain/x', config)).toBe('Invalid path: it does not start with /img/');
    expect(messageOf('s/plain/x')).toBe('Invalid path: it does not start with /');
  });

  it('refuses text that no bytes stand for', () => {
    expect(refusalOf(() => parse('/s/plain/\ud800')).status).toBe(404);
  });
});

describe('plain sources', () => {
  it('are decoded byte by byte', () => {
    const { source, ...request } = parse('/s/plain/http://e.com/%E0%A4');
    expect(source.text).toBeUndefined();
    expect(Buffer.from(source.bytes)).toEqual(
      Buffer.concat([Buffer.from('http://e.com/'), Buffer.from([0xe0, 0xa4])]),
    );
    expect(toCacheRequest({ source, ...request }).source).toBe(source.bytes);
  });

  it('are the same in raw and in escaped UTF-8, from text and from bytes', () => {
    const raw = '/s/plain/http://e.com/h\u00e9.jpg';
    const escaped = '/s/plain/http://e.com/h%C3%A9.jpg';
    const sources = [parse(raw), parse(escaped), parse(Buffer.from(raw))].map(
      (request) => toCacheRequest(request).source,
    );
    expect(new Set(sources)).toEqual(new Set(['http://e.com/h\u00e9.jpg']));
  });

  it.each([
    ['/s/plain/a%zz', 'Invalid path: it has a malformed percent-escape'],
    ['/s/plain/a%4', 'Invalid path: it has a malformed percent-escape'],
    ['/s/plain/a@b@c', 'Multiple formats are specified: a@b@c'],
    ['/s/plain/@png', 'Image URL is empty'],
    ['/s/plain/', 'Image URL is empty'],
    ['/s/w:1', 'Image URL is empty'],
    ['/s/plain/a@PNG', 'Invalid format: PNG (expected supported image format)'],
  ])('%s', (uri, message) => {
    expect(messageOf(uri)).toBe(message);
  });
});

describe('base64 sources', () => {
  const ENCODED = Buffer.from('http://e.com/~a?b').toString('base64url');

  it('may be cut in chunks, padded and followed by a slash', () => {
    const cut = `${ENCODED.slice(0, 3)}//${ENCODED.slice(3)}==/`;
    expect(sourceOf(`/s/${cut}`)).toBe('http://e.com/~a?b');
  });

  it('may carry bits that are not used', () => {
    expect(sourceOf('/s/YQ')).toBe('a');
    expect(sourceOf('/s/YR')).toBe('a');
  });

  it('may have line breaks in bytes', () => {
    expect(sourceOf('/s/Y\r\nQ')).toBe('a');
  });

  it.each(['YWI+', 'YQ=a', 'Y', 'YQ%3D', 'a b'])('%s is refused', (text) => {
    expect(messageOf(`/s/${text}`)).toBe(`Invalid url encoding: ${text}`);
  });

  it('may end with a file name when that is configured', () => {
    const config = { base64UrlIncludesFilename: true };
    expect(parse(`/s/${ENCODED}.png/puppy.jpg`, config)).toMatchObject({ format: 'png' });
    expect(sourceOf(`/s/${ENCODED.slice(0, 4)}/${ENCODED.slice(4)}/`, config)).toBe('http://e.com/~a?b');
    expect(sourceOf('/s/plain/a/puppy.jpg', config)).toBe('a/puppy.jpg');
  });

  it('may have an empty extension, and no second one', () => {
    expect(parse('/s/YQ.').format).toBeUndefined();
    expect(messageOf('/s/.png')).toBe('Image URL is empty');
  });
});

describe('the source that is asked for', () => {
  it('is replaced by every rule in turn, then put after the base URL', () => {
    const config: Partial<UrlConfig> = {
      urlReplacements: [
        { pattern: 'a://*/*.', replacement: `b://\${2}-$1/` },
        { pattern: 'b://', replacement: 'c/$$1/$1/' },
      ],
      baseUrl: 'http://base/',
    };
    expect(sourceOf('/s/plain/a://x/y.jpg', config)).toBe('http://base/c/$1//y-x/jpg');
    expect(sourceOf('/s/plain/http://base/a', config)).toBe('http://base/a');
  });

  it.each([
    ['$1x', ''],
    [`\${1}x`, '1x'],
    ['$2', ''],
    [`\${01}`, ''],
    ['$', '$'],
    ['${1', '${1'],
    ['$0', 'k1'],
    ['$1é', ''],
    ['$1–é', '1–é'],
    ['$\u0661', ''],
  ])('a replacement "%s" is filled as Go does', (replacement, expected) => {
    expect(sourceOf('/s/plain/k1', { urlReplacements: [{ pattern: 'k*', replacement }] })).toBe(expected);
  });

  it('takes no character of a pattern but the star for special', () => {
    const config = { urlReplacements: [{ pattern: 'a.b(c)[d]+', replacement: 'x' }] };
    expect(sourceOf('/s/plain/a.b(c)[d]+e', config)).toBe('xe');
    expect(sourceOf('/s/plain/aXb(c)[d]+e', config)).toBe('aXb(c)[d]+e');
  });

  it('must be allowed', () => {
    const config = { allowedSources: ['https://*.e.com/', 's3://b/'] };
    expect(sourceOf('/s/plain/https://a.e.com/x', config)).toBe('https://a.e.com/x');
    expect(refusalOf(() => parse('/s/plain/https://evil/.e.com/x', config))).toMatchObject({
      status: 404,
      publicMessage: 'Invalid source URL',
      message: 'Source URL is not allowed: https://evil/.e.com/x',
    });
  });
});
