import { toCacheRequest, UrlConfigError, UrlParser, type UrlSettings } from '@imgproxy-cache/url';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './refusal.js';

const optionsOf = (uri: string, config: UrlSettings) =>
  Object.fromEntries(new UrlParser(config).parse(uri).options);
const faultOf = (presets: Record<string, string>, config: UrlSettings = {}) => {
  try {
    new UrlParser({ presets, ...config });
  } catch (error) {
    if (error instanceof UrlConfigError) return error.message;
    throw error;
  }
  throw new Error('Nothing is wrong');
};

describe('presets', () => {
  it('apply where they stand, several at once, and within one another', () => {
    const presets = { small: 'w:10/pr:grey', grey: 'bg:888/q:50', wide: 'w:99' };
    expect(optionsOf('/s/pr:small:wide/q:70/plain/x', { presets })).toEqual({
      background: '888888',
      quality: '70',
      width: '99',
    });
    expect(new UrlParser({ presets }).parse('/s/pr:small:wide/plain/x').usedPresets).toEqual([
      'small',
      'grey',
      'wide',
    ]);
  });

  it('name no image: the same options give the same key', () => {
    const parser = new UrlParser({ presets: { small: 'w:10' } });
    const [named, written] = ['/s/pr:small/plain/x', '/s/w:10/plain/x'].map((uri) =>
      toCacheRequest(parser.parse(uri)),
    );
    expect(named).toEqual(written);
  });

  it('are skipped within themselves, and applied again elsewhere', () => {
    const presets = { a: 'w:1/pr:b', b: 'w:2/pr:a/skp:png' };
    expect(optionsOf('/s/pr:a:a/plain/x', { presets })).toEqual({ width: '2', skip_processing: 'png,png' });
  });

  it('that double one another end', () => {
    const names = Array.from({ length: 40 }, (_, place) => [`p${place}`, `pr:p${place + 1}:p${place + 1}`]);
    const presets = { ...Object.fromEntries(names), p40: 'w:1' };
    expect(faultOf(presets)).toContain('More than 10000 presets are used');
  });

  it('default is applied to every URL, first, and after the client’s hints', () => {
    const config = { presets: { default: 'w:10/q:50', big: 'w:500' }, clientHints: true };
    expect(optionsOf('/s/plain/x', config)).toEqual({ width: '10', quality: '50' });
    expect(optionsOf('/s/pr:big/plain/x', config)).toEqual({ width: '500', quality: '50' });
    const image = new UrlParser(config).parse('/s/plain/x', { width: '700', dpr: '2' });
    expect(Object.fromEntries(image.options)).toEqual({ width: '10', dpr: '2', quality: '50' });
  });

  it('may use options that URLs may not', () => {
    const config = { presets: { blurred: 'blur:5' }, allowedProcessingOptions: ['pr'] };
    expect(optionsOf('/s/pr:blurred/plain/x', config)).toEqual({ blur: '5' });
    expect(refusalOf(() => new UrlParser(config).parse('/s/blur:5/plain/x')).message).toBe(
      'Forbidden processing option blur',
    );
  });

  it('have the names of any object’s own properties', () => {
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(refusalOf(() => new UrlParser().parse(`/s/pr:${name}/plain/x`)).message).toBe(
        `Unknown preset: ${name}`,
      );
    const presets = Object.fromEntries([['__proto__', 'w:7']]);
    expect(optionsOf('/s/pr:__proto__/plain/x', { presets })).toEqual({ width: '7' });
  });
});

describe('a preset that is wrong is named at the start', () => {
  it.each([
    ['w:x', 'Invalid width: x (expected positive number or 0)'],
    ['pr:missing', 'Unknown preset: missing'],
    ['msr:1', 'Security processing options are not allowed'],
    ['w:1/raw', '"raw" is no option with arguments'],
    ['', '"" is no option with arguments'],
    ['nope:1', 'Unknown processing option nope'],
    ['exp:1', 'Expired URL'],
  ])('%s', (definition, message) => {
    expect(faultOf({ wrong: definition })).toContain(
      `presets has the preset "wrong", which is wrong: ${message}`,
    );
  });

  it('by what the parser reads', () => {
    new UrlParser({ presets: { a: 'msr:1' }, allowSecurityOptions: true });
    new UrlParser({ presets: { a: 'w:1/-/brightness:3' }, pro: true });
    new UrlParser({ presets: { a: 'nope:1' }, unknownOptions: 'carry' });
    expect(faultOf({ a: 'w:1/-/h:2' })).toContain('"-" is no option');
  });
});

describe('where only presets are allowed', () => {
  const presets = { t1: 'w:10', t2: 'h:20', plain: 'q:1', fit: 'rt:fit', default: 'q:77' };
  const config = { presets, onlyPresets: true, allowedProcessingOptions: ['nothing'] };

  it('they stand in the place of options', () => {
    expect(optionsOf('/s/t1:t2/plain/http://e.com/a@png', config)).toEqual({
      width: '10',
      height: '20',
      quality: '77',
      format: 'png',
    });
    expect(optionsOf('/s/fit/YQ', config)).toEqual({ quality: '77', resizing_type: 'fit' });
  });

  it('the first part is no source', () => {
    expect(optionsOf('/s/plain/plain/x', config)).toEqual({ quality: '1' });
    expect(refusalOf(() => new UrlParser(config).parse('/s/w:10/plain/x')).message).toBe('Unknown preset: w');
    expect(refusalOf(() => new UrlParser(config).parse('/s/t1')).message).toBe('Image URL is empty');
  });
});

describe('options that lift limits', () => {
  it('are read where they are allowed, megapixels as pixels', () => {
    const options = '/s/msr:16.8/msfs:-5/maf:7/mafr:0.5/mrd:100/plain/x';
    expect(optionsOf(options, { allowSecurityOptions: true })).toEqual({
      max_src_resolution: '16800000',
      max_src_file_size: '-5',
      max_animation_frames: '7',
      max_animation_frame_resolution: '500000',
      max_result_dimension: '100',
    });
  });

  it.each(['msr:1', 'max_src_file_size:1', 'maf:1', 'mafr:1', 'mrd:1'])(
    '%s is forbidden otherwise',
    (option) => {
      expect(refusalOf(() => new UrlParser().parse(`/s/${option}/plain/x`))).toMatchObject({
        code: 'ERR_URL_FORBIDDEN',
        status: 403,
        publicMessage: 'Invalid URL',
      });
    },
  );
});
