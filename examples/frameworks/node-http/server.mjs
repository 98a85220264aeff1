import { createServer } from 'node:http';
import { createImageCache, negotiate } from '@imgproxy-cache/core';
import { createNodeHandler, HttpError } from '@imgproxy-cache/http';
import sharp from 'sharp';

// Every width is one more image to render and to store.
const WIDTHS = [150, 300, 600, 1200];
const cache = await createImageCache({ resolveFrom: import.meta.url });
const serve = createNodeHandler(cache, { maxAge: 3600 });

const server = createServer((request, response) => {
  const [path = '/', query] = (request.url ?? '/').split('?');
  const asked = Number(new URLSearchParams(query).get('width'));
  const width = WIDTHS.find((each) => each >= asked) ?? 1200;
  const negotiated = negotiate(request.headers.accept, { autoWebp: true });
  const format = negotiated?.includes('webp') ? 'webp' : 'jpeg';
  return serve(
    request,
    response,
    { source: path, options: [['width', `${width}`]], negotiated },
    async () => {
      if (path !== '/cat.jpg') throw new HttpError(404, 'Not found');
      const body = await sharp('cat.jpg').resize(width).toFormat(format).toBuffer();
      return { body, contentType: `image/${format}` };
    },
  );
});
server.listen(Number(process.env['PORT'] ?? 8080));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => cache.close());
    setTimeout(() => server.closeAllConnections(), 10_000).unref();
  });
}
