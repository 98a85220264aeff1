import { type CacheRequest, createImageCache, type Rendering } from '@imgproxy-cache/core';

const cat: CacheRequest = {
  source: 'https://example.com/cat.jpg',
  options: [['width', '300']],
  format: 'webp',
};
const render = async (): Promise<Rendering> => ({ body: Buffer.from('a cat'), contentType: 'image/webp' });
const cache = await createImageCache();
for (let visit = 1; visit <= 2; visit += 1) {
  const { status, image } = await cache.fetch(cat, render);
  console.log(`${status}: ${Buffer.from(await image.bytes())}`);
}
await cache.close();
