import { toCacheRequest, UrlParser, type UrlSettings } from '@imgproxy-cache/url';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './refusal.js';

const PRO: UrlSettings = { pro: true };
const parse = (uri: string, config: UrlSettings = {}) => new UrlParser({ ...PRO, ...config }).parse(uri);
const pipelinesOf = (uri: string, config: UrlSettings = {}) =>
  parse(uri, config).pipelines.map((options) => Object.fromEntries(options));
const keyOf = (uri: string, config: UrlSettings = {}) => JSON.stringify(toCacheRequest(parse(uri, config)));

describe('pipelines', () => {
  it('each have options of their own, and saving is the first one’s', () => {
    expect(pipelinesOf('/s/w:10/-/w:20/q:70/f:png/-/exp:0/plain/x@webp')).toEqual([
      { width: '10', quality: '70', format: 'webp', expires: '0' },
      { width: '20' },
      {},
    ]);
  });

  it('are joined with those of presets', () => {
    const presets = { test: 'width:300/height:300/-/width:200/height:200/-/width:100/height:200' };
    expect(pipelinesOf('/s/width:400/-/preset:test/width:500/-/width:600/plain/x', { presets })).toEqual([
      { width: '400' },
      { width: '500', height: '300' },
      { width: '600', height: '200' },
      { width: '100', height: '200' },
    ]);
  });

  it('are in the key in their order', () => {
    expect(toCacheRequest(parse('/s/w:1/-/h:2/plain/x')).options).toEqual({
      pipelines: [[['width', '1']], [['height', '2']]],
    });
    const keys = ['w:1/-/h:2', 'h:2/-/w:1', 'w:1/h:2', '-/w:1/h:2', 'w:1/h:2/-'].map((options) =>
      keyOf(`/s/${options}/plain/x`),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('may be limited in their number', () => {
    expect(pipelinesOf('/s/w:1/-/w:2/plain/x', { maxChainedPipelines: 2 })).toHaveLength(2);
    expect(refusalOf(() => parse('/s/w:1/-/w:2/-/w:3/plain/x', { maxChainedPipelines: 2 })).message).toBe(
      'More than 2 chained pipelines are used',
    );
  });

  it('are not read by open-source imgproxy: there the source begins', () => {
    expect(refusalOf(() => parse('/s/w:1/-/w:2/plain/x', { pro: false })).status).toBe(404);
  });
});

describe('options of imgproxy Pro', () => {
  it.each([
    ['g:obj:face:cat', { 'gravity.type': 'obj', 'gravity.objects': 'face/cat' }],
    ['g:objw:all:2:face:3', { 'gravity.type': 'objw', 'gravity.objects': 'all/2/face/3' }],
    ['op:prop', { 'objects_position.type': 'prop' }],
    ['car:1.5:t', { 'crop_aspect_ratio.aspect_ratio': '1.5', 'crop_aspect_ratio.enlarge': 'true' }],
    ['a:-255::1.5', { brightness: '-255', saturation: '1.5' }],
    ['wm:1:ch', { 'watermark.opacity': '1', 'watermark.position': 'ch' }],
    ['wmu:aHR0cDovL2E', { watermark_url: 'http://a' }],
    ['pbl:2:up', { 'progressive_blur.sigma': '2', 'progressive_blur.direction': 'up' }],
    ['ba:2:0.1:0.2:0.3:0.4', { 'blur_areas.sigma': '2', 'blur_areas.areas': '0.1/0.2/0.3/0.4' }],
    ['c_obj:1.2:face', { 'crop_objects.scale_factor': '1.2', 'crop_objects.classes': 'face' }],
    [
      'dt:0.5:000:FFF',
      { 'duotone.intensity': '0.5', 'duotone.color1': '000000', 'duotone.color2': 'ffffff' },
    ],
    ['jpgo:1::::1', { 'jpeg_options.progressive': 'true', 'jpeg_options.optimize_scans': 'true' }],
    ['vts:5/vtk:1', { video_thumbnail_second: '5', video_thumbnail_keyframes: 'true' }],
    ['hs:md5:abc', { 'hashsum.type': 'md5', 'hashsum.hashsum': 'abc' }],
    ['f:best', { format: 'best' }],
  ])('%s', (options, expected) => {
    expect(pipelinesOf(`/s/${options}/plain/x`)).toEqual([expected]);
  });

  it('co, which is an alias of two, is told from both, in its order', () => {
    const keys = ['co:1', 'contrast:1', 'c_obj:1', 'contrast:2/co:1', 'co:1/contrast:2', 'c_obj:2/co:1'].map(
      (options) => keyOf(`/s/${options}/plain/x`),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('give tags and leave bypass_cache out of the key', () => {
    const image = parse('/s/w:1/ct:a:b/bc:1/plain/x');
    expect(image.cacheTags).toEqual(['a', 'b']);
    expect(toCacheRequest(image)).toEqual({
      source: 'x',
      options: [
        ['cache_tags', 'a/b'],
        ['width', '1'],
      ],
      tags: ['a', 'b'],
    });
  });
});

describe('encrypted sources', () => {
  it('that cannot be decrypted are refused', () => {
    const sourceUrlEncryptionKey = new Uint8Array(32);
    for (const text of ['YQ', 'a+b', 'AAAA'.repeat(11), `${'AAAA'.repeat(10)}AA`, '.png', ''])
      expect(refusalOf(() => parse(`/s/enc/${text}`, { sourceUrlEncryptionKey })).status).toBe(404);
  });

  it('are not allowed where it is limited what is, and there is no key', () => {
    expect(refusalOf(() => parse('/s/enc/AAAA', { allowedSources: ['s3://'] }))).toMatchObject({
      status: 404,
      publicMessage: 'Invalid source URL',
    });
  });

  it('are in base64 to open-source imgproxy', () => {
    const { source } = parse('/s/enc/YWE', { pro: false });
    expect(source).toMatchObject({
      isEncrypted: false,
      bytes: Uint8Array.from(Buffer.from('encYWE', 'base64url')),
    });
  });
});

describe('info URLs', () => {
  const info = (uri: string, config: UrlSettings = {}) => new UrlParser({ ...PRO, ...config }).parseInfo(uri);
  const optionsOf = (uri: string, config: UrlSettings = {}) => Object.fromEntries(info(uri, config).options);

  it('have options of their own', () => {
    expect(optionsOf('/info/s/s:0/f:1/ph:1/c:10:20/avg:1:0/chs:md5:sha1/pg:2/plain/x@png')).toEqual({
      size: 'false',
      format: 'true',
      perceptual_hash: 'true',
      'crop.width': '10',
      'crop.height': '20',
      'average.enabled': 'true',
      'average.ignore_transparent': 'false',
      calc_hashsums: 'md5/sha1',
      page: '2',
    });
    expect(refusalOf(() => info('/info/s/w:10/plain/x')).message).toBe('Unknown info option w');
  });

  it('are told from those of pictures', () => {
    const parser = new UrlParser({ ...PRO, pathPrefix: '/img' });
    const uris = ['/img/info/s/plain/x', '/img/%69nfo/s/plain/x', '/img/s/plain/x', '/info/s/plain/x'];
    expect(uris.map((uri) => parser.isInfo(uri))).toEqual([true, true, false, false]);
    expect(refusalOf(() => parser.parse('/img/info/s/plain/x')).code).toBe('ERR_URL_UNSUPPORTED');
    expect(refusalOf(() => parser.parseInfo('/img/s/plain/x')).code).toBe('ERR_URL_UNSUPPORTED');
    // To open-source imgproxy "info" is a signature.
    expect(new UrlParser().isInfo('/info/s/plain/x')).toBe(false);
    expect(new UrlParser().parse('/info/w:1/plain/x').signature).toBe('info');
  });

  it('have presets and allowed options of their own', () => {
    const config: UrlSettings = {
      presets: { default: 'w:1', meta: 'w:2' },
      infoPresets: { default: 'exif:0', meta: 'iptc:0' },
      allowedInfoOptions: ['pr'],
      allowedProcessingOptions: ['s'],
    };
    expect(optionsOf('/info/s/pr:meta/plain/x', config)).toEqual({ exif: 'false', iptc: 'false' });
    expect(refusalOf(() => info('/info/s/s:1/plain/x', config)).message).toBe('Forbidden info option s');
    const only = { ...config, onlyPresets: true };
    expect(optionsOf('/info/s/meta/plain/x', only)).toEqual({ exif: 'false', iptc: 'false' });
    expect(optionsOf('/info/s/pr:meta/plain/x', { ...only, infoOnlyPresets: false })).toEqual({
      exif: 'false',
      iptc: 'false',
    });
  });

  it('expire, and are limited as others are', () => {
    expect(refusalOf(() => info('/info/s/exp:1/plain/x')).message).toBe('Expired URL');
    expect(refusalOf(() => info('/info/s/msr:1/plain/x')).status).toBe(403);
    expect(refusalOf(() => info('/info/s/plain/x', { allowedSources: ['s3://'] })).publicMessage).toBe(
      'Invalid source URL',
    );
  });
});
