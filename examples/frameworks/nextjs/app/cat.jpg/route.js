import { createImageCache, negotiate } from '@imgproxy-cache/core';
import { createFetchHandler } from '@imgproxy-cache/http';
import sharp from 'sharp';

// Every width is one more image to render and to store.
const WIDTHS = [150, 300, 600, 1200];

// Created by the first request and not by `next build`, which also loads this module.
let serve;
async function open() {
  const cache = await createImageCache({ resolveFrom: process.cwd() });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => cache.close().finally(() => process.exit()));
  }
  return createFetchHandler(cache, { maxAge: 3600 });
}

export async function GET(request) {
  serve ??= open();
  const image = await serve;
  const asked = Number(new URL(request.url).searchParams.get('width'));
  const width = WIDTHS.find((each) => each >= asked) ?? 1200;
  const negotiated = negotiate(request.headers.get('accept'), { autoWebp: true });
  const format = negotiated?.includes('webp') ? 'webp' : 'jpeg';
  return image(request, { source: 'cat.jpg', options: [['width', `${width}`]], negotiated }, async () => ({
    body: await sharp('cat.jpg').resize(width).toFormat(format).toBuffer(),
    contentType: `image/${format}`,
  }));
}
