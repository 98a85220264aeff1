import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { CACHE } from '@imgproxy-cache/core';
import { createNodeHandler, HttpError } from '@imgproxy-cache/http';
import sharp from 'sharp';
import { createContainer } from './container.mts';

// Every width is one more image to render and to store.
const WIDTHS = [150, 300, 600, 1200];
const container = await createContainer();
const cache = container.get(CACHE.ImageCache);
await cache.ready();
const serve = createNodeHandler(cache, { maxAge: 3600 });

// Put the presigner of your S3 client here: its URLs for one object differ in their signatures.
const signedUrl = (path: string) => `https://pictures.example.com${path}?X-Amz-Signature=${randomUUID()}`;

const server = createServer((request, response) => {
  const [path = '/', query] = (request.url ?? '/').split('?');
  const asked = Number(new URLSearchParams(query).get('width'));
  const width = WIDTHS.find((each) => each >= asked) ?? 1200;
  return serve(
    request,
    response,
    { source: signedUrl(path), options: [['width', `${width}`]], format: 'webp' },
    async () => {
      if (path !== '/cat.jpg') throw new HttpError(404, 'Not found');
      return { body: await sharp('cat.jpg').resize(width).webp().toBuffer(), contentType: 'image/webp' };
    },
  );
});
server.listen(Number(process.env['PORT'] ?? 8080));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => container.unbindAllAsync());
    setTimeout(() => server.closeAllConnections(), 10_000).unref();
  });
}
