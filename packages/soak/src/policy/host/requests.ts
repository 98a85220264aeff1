import { setTimeout as delay } from 'node:timers/promises';
import type { CacheStatus, ImageCache, Rendering } from '@imgproxy-cache/core';
import { bodyOf, etagOf, type ImageVersion, problemOfImage, urlOf } from '../images.js';

/** What a rendering of these requests takes, in milliseconds. */
const RENDERING = 5;

/** An answered request. */
export interface Answer {
  readonly status: CacheStatus;
  /** What is wrong with the image. */
  readonly problem: string | undefined;
}

/** Asks for an image and reads it whole. */
export async function request(
  cache: Pick<ImageCache, 'fetch'>,
  { source, ...rendered }: ImageVersion,
): Promise<Answer> {
  const { status, image } = await cache.fetch({ source: urlOf(source) }, () =>
    render({ source, ...rendered }, RENDERING),
  );
  const body = await image.bytes();
  return { status, problem: problemOfImage(image.etag, body, source) };
}

/** Renders by waiting alone, so that many at a time do not hinder each other. */
export async function render(image: ImageVersion, milliseconds: number): Promise<Rendering> {
  await delay(milliseconds);
  return { body: bodyOf(image), contentType: 'image/webp', etag: etagOf(image) };
}
