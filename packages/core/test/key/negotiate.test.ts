import {
  type CacheRequest,
  createImageCache,
  type ImageCache,
  NEGOTIATION_TABLE,
  type NegotiationSettings,
  negotiate,
  readConfig,
} from '@imgproxy-cache/core';
import memory from '@imgproxy-cache/memory';
import { describe, expect, it, onTestFinished } from 'vitest';

const CHROME = 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8';
const SAFARI =
  'image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,*/*;q=0.5';
const CURL = '*/*';
const AUTO: NegotiationSettings = { autoAvif: true, autoJxl: true, autoWebp: true };
const ENFORCE: NegotiationSettings = { enforceAvif: true, enforceJxl: true, enforceWebp: true };

describe("formats are negotiated by imgproxy's rules", () => {
  it.each<[string, ...Parameters<typeof negotiate>, readonly string[] | undefined]>([
    ['all that the client accepts', SAFARI, AUTO, undefined, ['jxl', 'avif', 'webp']],
    ['what the settings allow', SAFARI, { autoWebp: true }, undefined, ['webp']],
    ['nothing by default, whatever the client accepts', SAFARI, {}, undefined, undefined],
    ['nothing where all is off', SAFARI, { autoWebp: false, enforceWebp: false }, undefined, undefined],
    ['what the client does not accept', CHROME, AUTO, undefined, ['avif', 'webp']],
    ['image/*, which names none', CURL, AUTO, undefined, []],
    ['a range of images, which names none', 'image/*', AUTO, undefined, []],
    ['a q of 0, which counts', 'image/webp;q=0', AUTO, undefined, ['webp']],
    ['another case, which does not count', 'image/WebP, IMAGE/AVIF', AUTO, undefined, []],
    ['a part of a longer name, which counts', 'image/webp2', AUTO, undefined, ['webp']],
    ['the first line only', ['image/webp', 'image/avif'], AUTO, undefined, ['webp']],
    ['no line', [], AUTO, undefined, []],
    ['no header', undefined, AUTO, undefined, []],
    ['no header, as Headers have it', null, AUTO, undefined, []],
    ['a blank header', '', AUTO, undefined, []],
    ['automatic ones, where a format is asked for', SAFARI, AUTO, 'png', undefined],
    ['enforced ones, where a format is asked for', SAFARI, ENFORCE, 'png', ['jxl', 'avif', 'webp']],
    ['enforced ones, where none is', SAFARI, ENFORCE, undefined, ['jxl', 'avif', 'webp']],
    ['both', SAFARI, { autoAvif: true, enforceWebp: true }, undefined, ['avif', 'webp']],
    ['both, where a format is asked for', SAFARI, { autoAvif: true, enforceWebp: true }, 'png', ['webp']],
  ])('%s', (_what, accept, settings, format, formats) => {
    expect(negotiate(accept, settings, format)).toEqual(formats);
  });

  it.each([{ accept: CHROME }, new Headers({ accept: CHROME }), 5, [5]])(
    'and of nothing but the header: %j',
    (accept) => {
      expect(() => negotiate(accept as unknown as string, AUTO)).toThrow(/^accept must be the Accept header/);
    },
  );

  it("with imgproxy's variables", () => {
    const env = { IMGPROXY_AUTO_WEBP: 'true', IMGPROXY_ENFORCE_AVIF: 'T', IMGPROXY_AUTO_JXL: 'yes' };
    const { values, faults } = readConfig(NEGOTIATION_TABLE, env);
    expect(faults.map(({ variable }) => variable)).toEqual(['IMGPROXY_AUTO_JXL']);
    expect(negotiate(SAFARI, values)).toEqual(['avif', 'webp']);
    expect(negotiate(SAFARI, values, 'jpeg')).toEqual(['avif']);
  });
});

/** A host with imgproxy's rules: what each client gets, and whether it came from the cache. */
class Host {
  readonly #cache: ImageCache;
  readonly #settings: NegotiationSettings;

  private constructor(cache: ImageCache, settings: NegotiationSettings) {
    this.#cache = cache;
    this.#settings = settings;
  }

  static async start(settings: NegotiationSettings): Promise<Host> {
    const cache = await createImageCache({ env: { IMGPROXY_CACHE_USE: 'memory' }, drivers: [memory] });
    onTestFinished(() => cache.close());
    return new Host(cache, settings);
  }

  async get(accept: string, format?: string): Promise<string> {
    const negotiated = negotiate(accept, this.#settings, format);
    const request: CacheRequest = { source: 'https://example.com/cat.jpg', format, negotiated };
    const { status, image } = await this.#cache.fetch(request, () => ({
      body: Buffer.from('a picture'),
      contentType: `image/${negotiated?.[0] ?? format ?? 'jpeg'}`,
    }));
    await image.discard();
    return `${image.contentType}${status.hit ? ' (hit)' : ''}`;
  }
}

describe('every client gets a format that it accepts', () => {
  it('from the cache too, and clients that would get the same share it', async () => {
    const host = await Host.start({ autoWebp: true });
    expect(await host.get(CHROME)).toBe('image/webp');
    expect(await host.get(CURL)).toBe('image/jpeg');
    expect(await host.get(SAFARI)).toBe('image/webp (hit)');
    expect(await host.get('image/*')).toBe('image/jpeg (hit)');
  });

  it('and a format that was asked for is not split by what is only preferred', async () => {
    const host = await Host.start({ autoWebp: true, enforceAvif: true });
    expect(await host.get(CHROME, 'png')).toBe('image/avif');
    expect(await host.get('image/webp', 'png')).toBe('image/png');
    expect(await host.get(CURL, 'png')).toBe('image/png (hit)');
    expect(await host.get(SAFARI, 'png')).toBe('image/avif (hit)');
  });
});
