import { setTimeout as delay } from 'node:timers/promises';
import type { CacheStatus, ImageCache, Rendering } from '@imgproxy-cache/core';
import { bodyOf, etagOf, type ImageVersion, problemOfImage, urlOf } from '../images.js';

/** What a rendering takes, in milliseconds: waiting alone, so that many at a time do not hinder each other. */
const RENDERING = 5;

/** An answered request. */
export interface Answer {
  readonly status: CacheStatus;
  /** In milliseconds, until the whole image was there. */
  readonly took: number;
  /** What is wrong with the image. */
  readonly problem: string | undefined;
}

/** Asks for an image and reads it whole. */
export async function request(
  cache: Pick<ImageCache, 'fetch'>,
  { source, ...rendered }: ImageVersion,
): Promise<Answer> {
  const began = performance.now();
  const { status, image } = await cache.fetch({ source: urlOf(source) }, () =>
    render({ source, ...rendered }),
  );
  const body = await image.bytes();
  const took = performance.now() - began;
  return { status, took, problem: problemOfImage(image.etag, body, source) };
}

/** Whether an answer came from a store. */
export function isStoredHit({ status }: Answer): boolean {
  return status.hit && status.detail !== 'pending';
}

async function render(image: ImageVersion): Promise<Rendering> {
  await delay(RENDERING);
  return { body: bodyOf(image), contentType: 'image/webp', etag: etagOf(image) };
}
