import { createImageCache } from '@imgproxy-cache/core';
import s3 from '@imgproxy-cache/s3';

const cache = await createImageCache({ drivers: [s3] });
const { status } = await cache.fetch({ source: 'https://example.com/cat.jpg' }, async () => ({
  body: Buffer.from('a cat'),
  contentType: 'image/webp',
}));
console.log(String(status));
await cache.close();
