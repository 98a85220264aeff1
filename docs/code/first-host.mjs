import { createServer } from 'node:http';
import { createImageCache, isCacheError, negotiate } from '@imgproxy-cache/core';
import sharp from 'sharp';

const cache = await createImageCache({ resolveFrom: import.meta.url });

const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const width = Math.min(Number(searchParams.get('width')) || 300, 2000);
  const negotiated = negotiate(request.headersDistinct['accept'], { autoWebp: true });
  const format = negotiated?.includes('webp') ? 'webp' : 'jpeg';
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const { status, image, vary } = await cache.fetch(
      {
        source: 'cat.jpg',
        options: [['width', `${width}`]],
        negotiated,
        headers: request.headersDistinct,
        signal: gone.signal,
      },
      async () => ({
        body: await sharp('cat.jpg').resize(width).toFormat(format).toBuffer(),
        contentType: `image/${format}`,
      }),
    );
    response.setHeader('Cache-Status', String(status));
    response.setHeader('Vary', vary.join(', '));
    response.setHeader('Content-Type', image.contentType);
    image.stream().pipe(response);
  } catch (error) {
    response.setHeader('Cache-Control', 'no-store');
    response.writeHead(isCacheError(error) ? 503 : 500).end();
  }
});

server.listen(Number(process.env['PORT'] ?? 8080));

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => cache.close()));
