import { readFile } from 'node:fs/promises';
import { expect, inject, it } from 'vitest';
import { root } from '../../toolchain.mjs';
import { EmptyFolder } from '../empty-folder.js';
import { freePort, type Service, startService } from '../service.js';

const guides = [
  'first-host',
  ...['fastify', 'express', 'hono', 'nestjs', 'nextjs'].map((name) => `frameworks/${name}`),
];
const browser = { accept: 'image/avif,image/webp,*/*;q=0.8' };

it.each(guides)('the guide %s leads from an empty folder to a hit', async (guide) => {
  const page = await readFile(`${root}docs/guides/${guide}.md`, 'utf8');
  await using folder = await EmptyFolder.make();
  await folder.copy('examples/image-server/samples/lighthouse.jpg', 'cat.jpg');
  for (const file of page.matchAll(/^<!-- file: (examples\/frameworks\/\S+) -->\n```\w+\n/gm)) {
    const path = String(file[1]);
    await folder.copy(path, path.split('/').slice(3).join('/'));
  }
  const [setup = '', run = ''] = Array.from(page.matchAll(/^```sh\n(.+?)```$/gms), ([, commands]) =>
    String(commands),
  );
  await folder.succeed(['sh', '-ec', setup]);

  const node = guide.endsWith('nextjs') ? process.execPath : inject('nodes').lowest;
  const port = await freePort();
  const start = (): Promise<Service> => startService(run, { folder: folder.path, node, port });

  let service = await start();
  const address = `http://127.0.0.1:${port}/cat.jpg`;
  const miss = await fetch(`${address}?width=320`, { headers: browser });
  const rendered = Buffer.from(await miss.arrayBuffer());
  expect(miss.status).toBe(200);
  expect(miss.headers.get('cache-status')).toMatch(/^imgproxy-cache; fwd=miss; (detail=queued|stored)$/);
  expect(miss.headers.get('content-type')).toBe('image/webp');
  expect(miss.headers.get('vary')).toMatch(/\baccept\b/i);

  const hit = await fetch(`${address}?width=320`, { headers: browser });
  expect(Buffer.from(await hit.arrayBuffer()).equals(rendered)).toBe(true);
  // While it is being stored, the detail is `pending`.
  expect(hit.headers.get('cache-status')).toMatch(/^imgproxy-cache; hit/);
  const etag = String(hit.headers.get('etag'));
  expect(etag).toBe(miss.headers.get('etag'));

  const other = await fetch(`${address}?width=320`, { headers: { accept: 'image/png' } });
  await other.arrayBuffer();
  expect(other.headers.get('content-type')).toBe('image/jpeg');

  const unchanged = await fetch(`${address}?width=320`, { headers: { ...browser, 'if-none-match': etag } });
  expect([unchanged.status, await unchanged.text()]).toEqual([304, '']);
  const part = await fetch(`${address}?width=320`, { headers: { ...browser, range: 'bytes=2-5' } });
  expect(Buffer.from(await part.arrayBuffer()).equals(rendered.subarray(2, 6))).toBe(true);
  const head = await fetch(`${address}?width=320`, { method: 'HEAD', headers: browser });
  expect([head.status, await head.text()]).toEqual([200, '']);
  for (const strange of ['//', '/%zz', '/cat.jpg?width=%zz', '/cat.jpg?width=-1']) {
    const { status } = await fetch(`http://127.0.0.1:${port}${strange}`);
    expect(status).toBeLessThan(500);
  }

  expect(await service.stop()).toBe(0);
  service = await start();
  const later = await fetch(`${address}?width=320`, { headers: browser });
  await later.arrayBuffer();
  expect(later.headers.get('cache-status')).toBe('imgproxy-cache; hit');
  expect(await service.stop()).toBe(0);
});
