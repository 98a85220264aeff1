import { createServer } from 'node:http';
import { createImageCache, isCacheError } from '@imgproxy-cache/core';
import sharp from 'sharp';

const cache = await createImageCache({ resolveFrom: import.meta.url });

const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const width = Math.min(Number(searchParams.get('width')) || 300, 2000);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const { status, image } = await cache.fetch(
      { source: 'cat.jpg', options: [['width', `${width}`]], format: 'webp', signal: gone.signal },
      async () => ({
        body: await sharp('cat.jpg').resize(width).webp().toBuffer(),
        contentType: 'image/webp',
      }),
    );
    response.setHeader('Cache-Status', String(status));
    response.setHeader('Content-Type', image.contentType);
    image.stream().pipe(response);
  } catch (error) {
    response.setHeader('Cache-Control', 'no-store');
    response.writeHead(isCacheError(error) ? 503 : 500).end();
  }
});

server.listen(Number(process.env['PORT'] ?? 8080));

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => cache.close()));
