import { describe, expect, test } from 'vitest';
import { bulkResult, failure } from './fake-swift.js';
import { authOf, bodyOf, entryOf, expectCode, namesIn, openDriver, openStore } from './open-driver.js';

const names = Array.from({ length: 5 }, (_, index) => `many/${index}`);

test('an object is the image with its type, and its metadata beside it', async () => {
  const { server, driver } = await openStore();
  await driver.put(
    'a/b',
    entryOf('a/b', Buffer.from('picture'), { contentType: 'image/avif', tags: ['x', 'y'] }),
  );
  const [[name, { headers, body }] = ['', { headers: {}, body: '' }]] = server.objects;
  expect(name).toBe('a/b');
  expect(body.toString()).toBe('picture');
  expect(headers).toMatchObject({
    'content-type': 'image/avif',
    'x-object-meta-name': 'a/b',
    'x-object-meta-size': '7',
    'x-object-meta-tags': 'x,y',
    'x-object-meta-version': '1',
  });
  const put = server.requests.find(({ method }) => method === 'PUT');
  expect(put?.headers).toMatchObject({ 'content-length': '7' });
  expect(put?.headers).not.toHaveProperty('x-delete-after');
  expect(put?.headers).not.toHaveProperty('expect');
  expect(put?.headers).not.toHaveProperty('transfer-encoding');
});

test('Swift is asked to delete an image after the time that is set', async () => {
  const { server, driver } = await openStore({ deleteAfter: 86_400 });
  await driver.put('a', entryOf('a'));
  expect(server.requests.at(-1)?.headers['x-delete-after']).toBe('86400');
});

test('a container may have any name', async () => {
  const bucket = 'Bilder & Töne 100%?#';
  const { server, driver } = await openStore({ bucket });
  server.containers.set(bucket, new Map());
  for (const name of names) await driver.put(name, entryOf(name));
  expect(await namesIn(driver, 'many/')).toEqual(names);
  await driver.delete(names);
  expect(server.container(bucket).size).toBe(0);
  expect(server.log.filter((line) => line.startsWith('DELETE'))).toEqual([]);
});

describe('bulk deletion', () => {
  test('takes one request for many names, absent ones included', async () => {
    const { server, driver } = await openStore();
    for (const name of names) await driver.put(name, entryOf(name));
    const before = server.requests.length;
    await driver.delete([...names, 'many/absent']);
    expect(server.objects.size).toBe(0);
    expect(server.log.slice(before)).toEqual(['POST ?bulk-delete']);
  });

  test('that a store does not have is replaced by deletions one by one, from then on', async () => {
    const { server, driver, events } = await openStore({}, { bulk: false });
    for (const name of names) await driver.put(name, entryOf(name));
    await driver.delete(names.slice(0, 2));
    await driver.delete(names.slice(2));
    expect(server.objects.size).toBe(0);
    expect(server.log.filter((line) => line.startsWith('POST'))).toHaveLength(1);
    expect(events.map(({ kind }) => kind)).toEqual(['bulk-delete-refused']);
  });

  test('that is refused is replaced likewise', async () => {
    const { server, driver } = await openStore();
    for (const name of names) await driver.put(name, entryOf(name));
    server.script = ({ method }) => (method === 'POST' ? failure(403) : undefined);
    await driver.delete(names);
    expect(server.objects.size).toBe(0);
  });

  test('that fails for some names has them deleted one by one, and says of the rest why not', async () => {
    const { server, driver } = await openStore();
    for (const name of names) await driver.put(name, entryOf(name));
    server.script = ({ method, path }) => {
      if (method === 'DELETE' && path.endsWith('/many/1')) return failure(403);
      if (method !== 'POST') return undefined;
      for (const name of ['many/0', 'many/3', 'many/4']) server.objects.delete(name);
      const errors = [
        ['images/many/1', '403 Forbidden'],
        ['/images/many/2', '503 Service Unavailable'],
      ] as const;
      return bulkResult({ deleted: 3, absent: 0, errors });
    };
    await expect(driver.delete(names)).rejects.toMatchObject({
      code: 'ERR_CACHE_ACCESS_DENIED',
      failedNames: ['many/1'],
    });
    expect([...server.objects.keys()]).toEqual(['many/1']);
    expect(server.log.filter((line) => line.startsWith('DELETE'))).toHaveLength(2);
  });

  test('whose result does not add up deletes nothing for certain', async () => {
    const { server, driver } = await openStore();
    for (const name of names) await driver.put(name, entryOf(name));
    server.script = ({ method }) => (method === 'POST' ? bulkResult({ deleted: 1, absent: 0 }) : undefined);
    await driver.delete(names);
    expect(server.objects.size).toBe(0);
  });

  test('without a result is a failure, and every name may still be there', async () => {
    const { server, driver } = await openStore();
    server.script = ({ method }) => (method === 'POST' ? { status: 200, body: 'done' } : undefined);
    await expect(driver.delete(names)).rejects.toMatchObject({
      code: 'ERR_CACHE_UNAVAILABLE',
      failedNames: names,
    });
  });
});

describe('a listing', () => {
  test('goes on until a page is empty, however short pages are', async () => {
    const { server, driver } = await openStore();
    for (const name of names) await driver.put(name, entryOf(name));
    server.script = (request) => {
      if (request.method !== 'GET' || !request.query.has('format')) return undefined;
      request.query.set('limit', '2');
      return server.perform(request);
    };
    expect(await namesIn(driver, 'many/')).toEqual(names);
  });

  test('that does not go on fails instead of going round', async () => {
    const { server, driver } = await openStore();
    server.script = ({ query }) =>
      query.has('format') ? { status: 200, body: '[{"name": "many/0"}]' } : undefined;
    await expectCode(namesIn(driver, 'many/'), 'ERR_CACHE_UNAVAILABLE', /does not go on/);
  });

  test('that is no list fails', async () => {
    const { server, driver } = await openStore();
    server.script = ({ query }) => (query.has('format') ? { status: 200, body: '{}' } : undefined);
    await expectCode(namesIn(driver, 'many/'), 'ERR_CACHE_UNAVAILABLE', /not Swift/);
  });
});

test('two drivers share what is stored', async () => {
  const { server, driver } = await openStore();
  await driver.put('a', entryOf('a'));
  expect(await bodyOf(openDriver(authOf(server, 3)).driver, 'a')).toBe('body of a');
});
