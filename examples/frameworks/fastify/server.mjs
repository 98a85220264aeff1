import { createImageCache, negotiate } from '@imgproxy-cache/core';
import { createNodeHandler } from '@imgproxy-cache/http';
import Fastify from 'fastify';
import sharp from 'sharp';

// Every width is one more image to render and to store.
const WIDTHS = [150, 300, 600, 1200];
const cache = await createImageCache({ resolveFrom: import.meta.url });
const serve = createNodeHandler(cache, { maxAge: 3600 });
const app = Fastify();

app.get('/cat.jpg', async (request, reply) => {
  const query = new URLSearchParams(request.url.split('?')[1]);
  const asked = Number(query.get('width'));
  const width = WIDTHS.find((each) => each >= asked) ?? 1200;
  const negotiated = negotiate(request.headers.accept, { autoWebp: true });
  const format = negotiated?.includes('webp') ? 'webp' : 'jpeg';
  reply.hijack();
  await serve(
    request.raw,
    reply.raw,
    { source: 'cat.jpg', options: [['width', `${width}`]], negotiated },
    async () => ({
      body: await sharp('cat.jpg').resize(width).toFormat(format).toBuffer(),
      contentType: `image/${format}`,
    }),
  );
});

app.addHook('onClose', () => cache.close());
await app.listen({ port: Number(process.env['PORT'] ?? 8080), host: '127.0.0.1' });
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    app.close();
    setTimeout(() => app.server.closeAllConnections(), 10_000).unref();
  });
}
