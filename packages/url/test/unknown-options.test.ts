import { toCacheRequest, UrlParser, type UrlSettings } from '@imgproxy-cache/url';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './refusal.js';

const CARRY: UrlSettings = { unknownOptions: 'carry', pro: true };
const parse = (options: string, config: UrlSettings = {}) =>
  new UrlParser({ ...CARRY, ...config }).parse(`/s/${options}/plain/x`);
const keyOf = (options: string, config: UrlSettings = {}) =>
  JSON.stringify(toCacheRequest(parse(options, config)));

describe('what is not understood and carried', () => {
  it('keeps all options in their order, under their full names', () => {
    const image = parse('w:010/new:1:2/h:5/rs:fit:7');
    expect(image.opaque).toEqual(['new']);
    expect(image.options).toEqual([
      ['width', '010'],
      ['new', '1/2'],
      ['height', '5'],
      ['resize', 'fit/7'],
    ]);
  });

  it.each([
    ['an option', 'new:1'],
    ['an argument', 'w:auto'],
    ['too many arguments', 'w:1:2'],
    ['a preset', 'pr:missing'],
    ['a format', 'f:heif2'],
  ])('%s', (_, options) => {
    expect(parse(options).opaque).toHaveLength(1);
    expect(keyOf(`${options}/w:1`)).not.toBe(keyOf(`w:1/${options}`));
    expect(refusalOf(() => parse(options, { unknownOptions: 'refuse' })).status).toBe(404);
  });

  it('splits keys where a place may count, and never joins them', () => {
    const presets = { t: 'w:1/-/h:2', p: 'w:1' };
    const variants = [
      'pr:t/n:1',
      'w:1/-/h:2/n:1',
      'w:1/h:2/n:1',
      '-:/n:1',
      '-/n:1',
      'pr:p/n:1',
      'w:1/n:1',
      'n:1/w:1',
    ];
    const formats = ['f:png/n:1', 'n:1/f:png', 'n:1', 'g:no:1:2/n:1/g:so', 'g:no:1:2/n:1/g:sm/g:so'];
    const keys = [...variants, ...formats].map((options) => keyOf(options, { presets }));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('changes nothing where everything is understood', () => {
    expect(parse('h:5/w:010').options).toEqual([
      ['height', '5'],
      ['width', '10'],
    ]);
    expect(keyOf('h:5/w:1')).toBe(keyOf('w:1/h:5'));
  });

  it('gives the format that is asked for, though nobody knows it', () => {
    const image = new UrlParser(CARRY).parse('/s/f:png/plain/x@jxl2');
    expect(image).toMatchObject({ format: 'jxl2', opaque: ['format'] });
  });

  it('lifts no limit', () => {
    expect(refusalOf(() => parse('exp:1')).message).toBe('Expired URL');
    expect(refusalOf(() => parse('new:1/exp:1')).message).toBe('Expired URL');
    expect(refusalOf(() => parse('msr:1')).status).toBe(403);
    expect(refusalOf(() => parse('new:1', { allowedProcessingOptions: ['w'] })).message).toBe(
      'Forbidden processing option new',
    );
    expect(refusalOf(() => parse('new:1', { allowedSources: ['s3://'] })).publicMessage).toBe(
      'Invalid source URL',
    );
  });

  it('leaves expires out of the key, and counts it', () => {
    expect(keyOf('new:1/exp:99999999999')).toBe(keyOf('new:1'));
    expect(parse('new:1/exp:99999999999').expires).toBe(99999999999);
  });
});
