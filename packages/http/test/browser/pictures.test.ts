import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createImageCache, type ImageCache, negotiate } from '@imgproxy-cache/core';
import { createNodeHandler } from '@imgproxy-cache/http';
import memory from '@imgproxy-cache/memory';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
// One pixel each, made with sharp.
const PIXELS = {
  webp: 'UklGRiIAAABXRUJQVlA4TBYAAAAvAAAAAA8Q9z/mPwULGAAiov+xB1BE',
  png: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
};
const PAGE = `<!doctype html><title>Pictures</title><link rel="icon" href="data:,">
<picture><source type="image/webp" srcset="/source.webp"><img src="/source.png" alt="by the page"></picture>
<img src="/negotiated" alt="by the server"><img src="/revalidated.png" alt="asked again">`;

let browser: Browser;
let cache: ImageCache;
let server: Server;
const asked: { readonly path: string; readonly status: number }[] = [];

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  cache = await createImageCache({ env: { IMGPROXY_CACHE_USE: 'memory' }, drivers: [memory] });
  const handle = createNodeHandler(cache);
  server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/') return void response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE);
    const negotiated = negotiate(request.headers.accept, { autoWebp: true }, path.split('.')[1]);
    const format = path.endsWith('.webp') || negotiated?.includes('webp') ? 'webp' : 'png';
    response.once('finish', () => {
      asked.push({ path, status: response.statusCode });
    });
    void handle(
      request,
      response,
      { source: path, negotiated },
      () => ({ body: Buffer.from(PIXELS[format], 'base64'), contentType: `image/${format}` }),
      { maxAge: path.startsWith('/revalidated') ? 0 : 3600 },
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  await cache?.close();
});

test('Chromium shows the pictures, keeps them, and asks again with their tags', async () => {
  const page = await browser.newPage();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const widths = 'Array.from(document.images, (image) => image.naturalWidth)';
  const statuses = (): string[] =>
    asked
      .splice(0)
      .map(({ path, status }) => `${path} ${status}`)
      .sort();

  await page.goto(url, { waitUntil: 'load' });
  expect(await page.evaluate(widths)).toEqual([1, 1, 1]);
  expect(await page.evaluate('document.images[0].currentSrc')).toContain('/source.webp');
  expect(statuses()).toEqual(['/negotiated 200', '/revalidated.png 200', '/source.webp 200']);

  // Another visit: what is fresh is not asked for.
  await page.goto('about:blank');
  await page.goto(url, { waitUntil: 'load' });
  expect(await page.evaluate(widths)).toEqual([1, 1, 1]);
  expect(statuses()).toEqual(['/revalidated.png 304']);

  await page.reload({ waitUntil: 'load' });
  expect(await page.evaluate(widths)).toEqual([1, 1, 1]);
  expect(statuses().every((line) => line.endsWith(' 304'))).toBe(true);

  await page.close();
});

test('each Accept gets its own format, of which the browser is told by Vary', async () => {
  const page = await browser.newPage();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await page.goto(url, { waitUntil: 'load' });
  const types = await page.evaluate<string[]>(`Promise.all(['image/webp', 'image/png'].map(async (accept) => {
    const answer = await fetch('/negotiated', { headers: { accept } });
    return answer.headers.get('content-type') + ' ' + answer.headers.get('vary');
  }))`);
  expect(types).toEqual(['image/webp Accept', 'image/png Accept']);
  await page.close();
});
