import { createHmac } from 'node:crypto';
import { parseHexList, signPath, UrlConfigError, UrlParser } from '@imgproxy-cache/url';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './refusal.js';

const PATH = '/rs:fit:300:200/plain/https://example.com/a.jpg@png';
const PAIRS = { keys: parseHexList('736563726574,6b32'), salts: parseHexList('68656c6c6f,7332') };

function hmac(key: string, salt: string, path: string): Buffer {
  return createHmac('sha256', key)
    .update(salt + path)
    .digest();
}

describe('signing', () => {
  it('is HMAC-SHA256 of salt and path, cut to the size', () => {
    const full = hmac('secret', 'hello', PATH);
    expect(signPath(PATH, PAIRS)).toBe(`/${full.toString('base64url')}${PATH}`);
    const short = signPath(PATH, { ...PAIRS, signatureSize: 5, pathPrefix: '/img' });
    expect(short).toBe(`/img/${full.subarray(0, 5).toString('base64url')}${PATH}`);
  });

  it.each(['', '/', 'w:1/plain/x', '/plain/x?y', '/plain/\ud800'])('refuses "%s"', (path) => {
    expect(() => signPath(path, PAIRS)).toThrow(TypeError);
  });

  it('needs a key', () => {
    expect(() => signPath(PATH, {})).toThrow('A key and a salt are needed');
  });
});

describe('checking a signature', () => {
  const parser = new UrlParser({ ...PAIRS, trustedSignatures: ['Trusted', ''] });
  const messageFor = (signature: string) => refusalOf(() => parser.parse(`/${signature}${PATH}`)).message;

  it('takes any pair, and never the key of one with the salt of another', () => {
    const second = hmac('k2', 's2', PATH).toString('base64url');
    expect(parser.verify(`/${second}${PATH}`)).toEqual({ signature: second, signedPath: PATH });
    expect(messageFor(hmac('secret', 's2', PATH).toString('base64url'))).toBe('Invalid signature');
    expect(messageFor(hmac('k2', 'hello', PATH).toString('base64url'))).toBe('Invalid signature');
  });

  it('takes trusted signatures exactly, and unsafe ones not at all', () => {
    expect(parser.parse(`/Trusted${PATH}`).format).toBe('png');
    expect(messageFor('trusted')).toBe('Invalid signature');
    expect(messageFor('unsafe')).toBe('Invalid signature');
  });

  it('wants the whole size and nothing more', () => {
    const full = hmac('secret', 'hello', PATH);
    expect(messageFor(full.subarray(0, 31).toString('base64url'))).toBe('Invalid signature');
    expect(messageFor(`${full.toString('base64url')}A`)).toBe('Invalid signature');
    expect(messageFor(`${full.toString('base64url')}=`)).toBe('Invalid signature encoding');
    const short = new UrlParser({ ...PAIRS, signatureSize: 8 });
    expect(() => short.parse(`/${full.toString('base64url')}${PATH}`)).toThrow('Invalid signature');
  });

  it('comes before anything else is read', () => {
    expect(refusalOf(() => parser.parse('/unsafe/nonsense:1/plain/x'))).toMatchObject({
      code: 'ERR_URL_FORBIDDEN',
      status: 403,
      publicMessage: 'Forbidden',
    });
  });

  it('is done on the path as the client had it before a proxy changed it', () => {
    const [, signature] = signPath(PATH, PAIRS).split('/');
    expect(
      parser.parse(`/${signature}/rs%3Afit%3A300%3A200/plain/https:/example.com/a.jpg@png?utm=1`).signedPath,
    ).toBe(PATH);
  });

  it('does not put the signature in an error', () => {
    const signature = hmac('wrong', 'pair', PATH).toString('base64url');
    const refusal = refusalOf(() => parser.parse(`/${signature}${PATH}`));
    expect(JSON.stringify([refusal.message, refusal.publicMessage, refusal])).not.toContain(signature);
  });

  it('is off without keys, where trusted signatures mean nothing and a colon is refused', () => {
    const open = new UrlParser({ trustedSignatures: ['a:b'] });
    expect(open.parse(`/anything${PATH}`).signature).toBe('anything');
    expect(refusalOf(() => open.parse(`/a:b${PATH}`)).status).toBe(403);
    expect(refusalOf(() => new UrlParser({ argumentsSeparator: ',' }).parse('/a:b/plain/x')).status).toBe(
      403,
    );
  });
});

describe('the configuration of signatures', () => {
  it.each([
    [{ signatureSize: 0 }, 'signatureSize must be a whole number from 1 to 32, it is 0'],
    [{ signatureSize: 33 }, 'signatureSize must be a whole number from 1 to 32, it is 33'],
    [{ signatureSize: 1.5 }, 'signatureSize must be a whole number from 1 to 32, it is 1.5'],
    [{ argumentsSeparator: '' }, 'argumentsSeparator must not be empty'],
    [{ keys: PAIRS.keys }, 'salts must be as many as the keys: there are 2 keys and 0 salts'],
  ])('%o is refused', (config, message) => {
    expect(() => new UrlParser(config)).toThrow(UrlConfigError);
    expect(() => new UrlParser(config)).toThrow(message);
  });
});
