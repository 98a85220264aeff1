import { createServer } from 'node:http';
import { createImageCache } from '@imgproxy-cache/core';
import { createNodeHandler, HttpError } from '@imgproxy-cache/http';
import sharp from 'sharp';

// Every width is one more image to render and to store.
const WIDTHS = [150, 300, 600, 1200];
const PREVIEW_WIDTH = 150;
const memory = { ...process.env, IMGPROXY_CACHE_USE: 'memory' };
const previews = await createImageCache({ env: memory, resolveFrom: import.meta.url });
const pictures = await createImageCache({ resolveFrom: import.meta.url });
const servePreview = createNodeHandler(previews, { maxAge: 3600 });
const servePicture = createNodeHandler(pictures, { maxAge: 3600 });

const server = createServer((request, response) => {
  const [path = '/', query] = (request.url ?? '/').split('?');
  const asked = Number(new URLSearchParams(query).get('width'));
  const width = WIDTHS.find((each) => each >= asked) ?? 1200;
  const serve = width <= PREVIEW_WIDTH ? servePreview : servePicture;
  return serve(
    request,
    response,
    { source: path, options: [['width', `${width}`]], format: 'webp' },
    async () => {
      if (path !== '/cat.jpg') throw new HttpError(404, 'Not found');
      return { body: await sharp('cat.jpg').resize(width).webp().toBuffer(), contentType: 'image/webp' };
    },
  );
});
server.listen(Number(process.env['PORT'] ?? 8080));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => Promise.all([previews.close(), pictures.close()]));
    setTimeout(() => server.closeAllConnections(), 10_000).unref();
  });
}
