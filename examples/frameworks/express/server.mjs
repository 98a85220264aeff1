import { createImageCache, negotiate } from '@imgproxy-cache/core';
import { createNodeHandler } from '@imgproxy-cache/http';
import express from 'express';
import sharp from 'sharp';

// Every width is one more image to render and to store.
const WIDTHS = [150, 300, 600, 1200];
const cache = await createImageCache({ resolveFrom: import.meta.url });
const serve = createNodeHandler(cache, { maxAge: 3600 });
const app = express();

app.get('/cat.jpg', async (request, response) => {
  const asked = Number(request.query['width']);
  const width = WIDTHS.find((each) => each >= asked) ?? 1200;
  const negotiated = negotiate(request.headers.accept, { autoWebp: true });
  const format = negotiated?.includes('webp') ? 'webp' : 'jpeg';
  await serve(
    request,
    response,
    { source: 'cat.jpg', options: [['width', `${width}`]], negotiated },
    async () => ({
      body: await sharp('cat.jpg').resize(width).toFormat(format).toBuffer(),
      contentType: `image/${format}`,
    }),
  );
});

const server = app.listen(Number(process.env['PORT'] ?? 8080));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => cache.close());
    setTimeout(() => server.closeAllConnections(), 10_000).unref();
  });
}
