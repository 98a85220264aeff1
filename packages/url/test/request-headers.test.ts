import { CLIENT_HINT_HEADERS, UrlParser } from '@imgproxy-cache/url';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './refusal.js';

describe('hints of the client', () => {
  const parser = new UrlParser({ clientHints: true });
  const hinted = (headers: Record<string, string | string[]>, options = '') =>
    Object.fromEntries(parser.parse(`/s/${options}plain/x`, headers).options);

  it.each([
    [{ 'sec-ch-dpr': '2', dpr: '3' }, { dpr: '2' }],
    [{ 'sec-ch-dpr': '0', dpr: '8' }, { dpr: '8' }],
    [{ 'sec-ch-dpr': '8.5', dpr: 'NaN' }, {}],
    [{ 'sec-ch-width': '-5', width: '300' }, { width: '300' }],
    [{ 'sec-ch-width': '1.5', width: '0' }, {}],
    [
      { width: '101', dpr: '2' },
      { width: '51', dpr: '2' },
    ],
    [{ dpr: ['2', '3'] }, { dpr: '2' }],
    [{ dpr: '2, 3' }, {}],
  ])('%o', (headers, expected) => {
    expect(hinted(headers)).toEqual(expected);
    const fetchHeaders = new Headers(
      Object.entries(headers).map(([name, value]) => [name, [value].flat()[0] ?? '']),
    );
    expect(Object.fromEntries(parser.parse('/s/plain/x', fetchHeaders).options)).toEqual(expected);
  });

  it('are overridden by the URL, and named for Vary', () => {
    expect(hinted({ dpr: '2', width: '500' }, 'w:7/')).toEqual({ dpr: '2', width: '7' });
    expect(parser.vary).toEqual(CLIENT_HINT_HEADERS);
  });

  it('count only where that is configured', () => {
    expect(new UrlParser().parse('/s/plain/x', { dpr: '2', width: '500' }).options).toEqual([]);
    expect(new UrlParser().vary).toEqual([]);
  });
});

describe('a secret', () => {
  const parser = new UrlParser({ secret: 'hush é' });
  // Servers have the header's bytes, one in each character.
  const right = Buffer.from('Bearer hush é').toString('latin1');

  it('lets those pass that know it', () => {
    for (const headers of [{ authorization: right }, { authorization: [right, 'Bearer other'] }])
      expect(parser.parse('/s/plain/x', headers).source.text).toBe('x');
    expect(parser.verify('/s/plain/x').signature).toBe('s');
  });

  it.each([undefined, '', 'hush é', 'Bearer hush', `${right} `, right.toLowerCase(), 'Basic aHVzaA=='])(
    'refuses %s',
    (authorization) => {
      expect(refusalOf(() => parser.parse('/s/plain/x', { authorization }))).toMatchObject({
        code: 'ERR_URL_FORBIDDEN',
        status: 403,
        publicMessage: 'Forbidden',
      });
    },
  );

  it('is asked for before anything else, and where a host forgets the headers', () => {
    expect(refusalOf(() => parser.parse('/s/nonsense:1/plain/x')).message).toBe('Invalid secret');
    const pro = new UrlParser({ secret: 'hush', pro: true });
    expect(refusalOf(() => pro.parseInfo('/info/s/plain/x')).status).toBe(403);
  });
});
