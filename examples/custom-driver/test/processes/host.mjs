// A host that knows of no driver: asks its cache for one picture and prints the outcome.
import 'reflect-metadata';
import { createImageCache } from '@imgproxy-cache/core';

const [folder, file] = process.argv.slice(2);
const cache = await createImageCache({
  env: { IMGPROXY_CACHE_USE: 'sqlite', IMGPROXY_CACHE_SQLITE_FILE: file },
  resolveFrom: folder,
});
const { status, image } = await cache.fetch({ source: 'https://example.com/cat.jpg' }, () => ({
  body: Buffer.from('a cat'),
  contentType: 'image/webp',
}));
const body = Buffer.from(await image.bytes()).toString();
await cache.close();
process.stdout.write(JSON.stringify({ status: String(status), body }));
