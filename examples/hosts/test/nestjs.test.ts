import { expect, test } from 'vitest';
import { HostProcess } from './host-process.js';

test('a closed application leaves nothing behind that keeps its process', async () => {
  const program = `
    import { NestFactory } from '@nestjs/core';
    import { AppModule } from './dist/nestjs-module.js';
    const app = await NestFactory.create(AppModule, { logger: false });
    await app.listen(0);
    const { headers } = await fetch(new URL('/300x200/cat.jpg', await app.getUrl()));
    process.stdout.write(headers.get('cache-status'));
    await app.close();`;
  const { end, output } = await HostProcess.run(['--input-type=module', '--eval', program], {
    IMGPROXY_CACHE_USE: 'memory',
  });
  expect({ end, output }).toEqual({ end: 0, output: 'imgproxy-cache; fwd=miss; detail=queued' });
});

test("Nest's logger gets what the cache logs", async () => {
  await using host = await HostProcess.start('dist/nestjs.js', {
    IMGPROXY_CACHE_USE: 'memory',
    IMGPROXY_CACHE_MEMORY_MAX_SIZ: '1',
  });
  await host.stop();
  expect(host.output).toContain('WARN [ImageCache]');
  expect(host.output).toContain('is IMGPROXY_CACHE_MEMORY_MAX_SIZE meant?');
});

test('whatever is no fault of the cache is answered as Nest does', async () => {
  await using host = await HostProcess.start('dist/nestjs.js', { IMGPROXY_CACHE_USE: 'memory' });
  const { status, body } = await host.get('/big/cat.jpg');
  expect([status, JSON.parse(body)]).toEqual([404, { message: 'Not Found', statusCode: 404 }]);
});
