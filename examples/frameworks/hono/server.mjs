import { serve } from '@hono/node-server';
import { createImageCache, negotiate } from '@imgproxy-cache/core';
import { createFetchHandler } from '@imgproxy-cache/http';
import { Hono } from 'hono';
import sharp from 'sharp';

// Every width is one more image to render and to store.
const WIDTHS = [150, 300, 600, 1200];
const cache = await createImageCache({ resolveFrom: import.meta.url });
const image = createFetchHandler(cache, { maxAge: 3600 });
const app = new Hono();

app.get('/cat.jpg', (context) => {
  const asked = Number(context.req.query('width'));
  const width = WIDTHS.find((each) => each >= asked) ?? 1200;
  const negotiated = negotiate(context.req.header('accept'), { autoWebp: true });
  const format = negotiated?.includes('webp') ? 'webp' : 'jpeg';
  return image(
    context.req.raw,
    { source: 'cat.jpg', options: [['width', `${width}`]], negotiated },
    async () => ({
      body: await sharp('cat.jpg').resize(width).toFormat(format).toBuffer(),
      contentType: `image/${format}`,
    }),
  );
});

const server = serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 8080) });
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => cache.close());
    setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), 10_000).unref();
  });
}
