import type { FetchResult } from '@imgproxy-cache/core';

/** How long clients and shared caches may keep an answer. */
export interface CacheControlSettings {
  /**
   * For so many seconds; 0: `no-cache`. Never longer than the cache itself keeps the image. Default: 3600.
   */
  readonly maxAge?: number | undefined;
  /** For so many seconds after that they may serve it while they ask again (RFC 5861). Default: 0. */
  readonly staleWhileRevalidate?: number | undefined;
  /** The whole field, in place of `maxAge` and `staleWhileRevalidate`. */
  readonly cacheControl?: string | undefined;
  /**
   * Sends the source's own `Cache-Control`, which the rendering gave, and `Age` on hits, since its lifetime began when the
   * image was rendered. The other settings apply to images without one. Default: false.
   */
  readonly cacheControlPassthrough?: boolean | undefined;
}

/** The fields of an answer about its freshness. */
export interface Freshness {
  readonly cacheControl: string;
  /** In seconds. Absent unless the lifetime of `cacheControl` began before the answer. */
  readonly age?: number;
}

const NO_STORE: Freshness = { cacheControl: 'no-store' };
const NO_CACHE: Freshness = { cacheControl: 'no-cache' };
const DEFAULT_MAX_AGE = 3600;

/**
 * `max-age` counts from this answer and ends with the entry, so there is no `Age` beside it: a hit that is a year old would
 * be stale in every cache on its way.
 */
export function freshnessOf(
  { image, ttl, vary }: Pick<FetchResult, 'image' | 'ttl' | 'vary'>,
  settings: CacheControlSettings,
  size: number | undefined,
): Freshness {
  // What the cache itself does not keep, nobody on the way keeps either: error pages, empty images.
  if (!image.store || !image.contentType.startsWith('image/') || size === 0) return NO_STORE;
  if (settings.cacheControlPassthrough === true && image.cacheControl !== undefined) {
    const cacheControl = isForAll(vary) ? image.cacheControl : asPrivate(image.cacheControl);
    if (image.created === undefined) return { cacheControl };
    return {
      cacheControl,
      age: Math.max(0, Math.floor((Date.now() - image.created) / 1000)),
    };
  }
  if (settings.cacheControl !== undefined) return { cacheControl: settings.cacheControl };
  const { maxAge = DEFAULT_MAX_AGE, staleWhileRevalidate = 0 } = settings;
  const seconds = Math.min(maxAge, secondsLeft(image.expires, ttl));
  if (seconds <= 0) return NO_CACHE;
  const stale = staleWhileRevalidate > 0 ? `, stale-while-revalidate=${staleWhileRevalidate}` : '';
  return { cacheControl: `max-age=${seconds}${stale}, ${isForAll(vary) ? 'public' : 'private'}` };
}

function secondsLeft(expires: number | undefined, ttl: number): number {
  if (expires !== undefined) return Math.floor((expires - Date.now()) / 1000);
  return ttl === 0 ? Number.POSITIVE_INFINITY : Math.floor(ttl);
}

/** The field for an image that is for its client alone. */
export function asPrivate(cacheControl: string): string {
  const directives = cacheControl.split(',').map((directive) => directive.trim());
  if (directives.some((directive) => /^(?:private|no-store)$/i.test(directive))) return cacheControl;
  const kept = directives.filter((directive) => !/^(?:public$|s-maxage=|$)/i.test(directive));
  return [...kept, 'private'].join(', ');
}

/** Not every cache heeds `Vary`, so an image that depends on other headers or on cookies is for its client alone. */
function isForAll(vary: readonly string[]): boolean {
  return vary.length === 0 || vary.every((name) => name === 'Accept');
}
