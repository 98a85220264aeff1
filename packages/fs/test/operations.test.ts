import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bodyOf, entryOf, expectCode, namesIn, openCache, RESERVED_NAME } from './cache-folder.js';
import { allFilesClosed } from './hung-thread-pool.js';

async function filled(...names: readonly string[]) {
  const cache = await openCache();
  for (const name of names) await cache.driver.put(name, entryOf(name));
  return cache;
}

describe('a name', () => {
  test('that is none reaches no file', async () => {
    const { driver, root } = await filled('kept');
    for (const name of [
      '',
      '/',
      '../escape',
      'a/../../escape',
      'a//b',
      'a/.',
      'ä',
      'a\0b',
      'n'.repeat(201),
    ]) {
      await expectCode(driver.get(name), 'ERR_CACHE_UNSUPPORTED');
      await expectCode(driver.put(name, entryOf(name)), 'ERR_CACHE_UNSUPPORTED');
      await expectCode(driver.delete(['kept', name]), 'ERR_CACHE_UNSUPPORTED');
    }
    expect(await namesIn(driver, '')).toEqual(['kept']);
    await expect(stat(join(root, '../escape'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('may be any that the contract allows', async () => {
    const { driver } = await openCache();
    const segment = fc
      .string({
        unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
        minLength: 1,
        maxLength: 40,
      })
      .map((text) => text.replaceAll('/', '~').replace(/^ | $/g, '_'))
      .filter((text) => text !== '.' && text !== '..');
    const anyName = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((segments) => `f/${segments.join('/')}/e`);
    await fc.assert(
      fc.asyncProperty(
        anyName.filter((name) => encodeURI(name).length < 200),
        async (name) => {
          await driver.put(name, entryOf(name));
          expect((await driver.get(name))?.metadata.name).toBe(name);
          expect(await namesIn(driver, name)).toContain(name);
          await driver.delete([name]);
          expect(await driver.get(name)).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('list', () => {
  test('takes any string as the prefix', async () => {
    const names = ['a', 'ab/c', 'ab/cd/e', 'ab/cd/f', 'abc', 'b/ab'];
    const { driver } = await filled(...names);
    for (const prefix of [
      '',
      'a',
      'ab',
      'ab/',
      'ab/c',
      'ab/cd',
      'ab/cd/',
      'ab/cd/e',
      'ab/cd/ex',
      'b/',
      'x',
      'x/y/z',
    ]) {
      expect(await namesIn(driver, prefix), prefix).toEqual(names.filter((name) => name.startsWith(prefix)));
    }
  });

  test('finds nothing, and leaves the root for nothing, at a prefix that no name can have', async () => {
    const { driver } = await filled('a/b');
    for (const prefix of ['/', '//', '..', '../', '../../etc/', 'a/../a/', 'a//', './', '\0', 'a\0/', 'ä/']) {
      expect(await namesIn(driver, prefix), prefix).toEqual([]);
    }
  });

  test('shows files of others that could be entries, and those alone', async () => {
    const { driver, root } = await filled('a/entry');
    await writeFile(join(root, 'a/foreign.txt'), '');
    await writeFile(join(root, 'a/ausländisch'), '');
    await writeFile(join(root, 'a/ blank'), '');
    await mkdir(join(root, 'a/empty'));
    expect(await namesIn(driver, 'a')).toEqual(['a/entry', 'a/foreign.txt']);
  });

  test('goes on while the entries it finds are deleted', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `p/${index % 7}/${index}`);
    const { driver, root } = await filled(...names);
    const seen: string[] = [];
    for await (const name of driver.list('p/')) {
      seen.push(name);
      await driver.delete([name]);
    }
    expect(seen.sort()).toEqual(names.sort());
    expect(await readdir(root)).toEqual(['.imgproxy-cache-tmp']);
  });

  test.runIf(process.platform === 'linux')('closes its folders when it is left early (Linux)', async () => {
    const { driver, root } = await filled('a/b/c/d', 'a/b/c/e');
    for await (const _name of driver.list('')) break;
    await allFilesClosed(root);
  });
});

describe('delete', () => {
  test('removes any number, takes what is not there for removed, and leaves no empty folder', async () => {
    const names = Array.from({ length: 500 }, (_, index) => `v1/${index % 10}/${index}`);
    const { driver, root } = await filled(...names, 'v1/3/kept');
    await driver.delete([...names, 'v1/nowhere/at/all', 'v1/1/1', 'v1/1/1']);
    expect(await namesIn(driver, '')).toEqual(['v1/3/kept']);
    expect(await readdir(join(root, 'v1'))).toEqual(['3']);
    await driver.delete([]);
  });

  test('never makes a put into the same folder fail', async () => {
    const { driver } = await openCache();
    const other = await openCache({ root: (await openCache()).root });
    const root = other.root;
    const drivers = [other.driver, (await openCache({ root })).driver];
    const hammer = async (worker: number): Promise<void> => {
      const name = `v1/ab/cd/${worker}`;
      for (let round = 0; round < 150; round += 1) {
        await drivers[worker % 2]?.put(name, entryOf(name));
        await drivers[(worker + 1) % 2]?.delete([name]);
      }
    };
    await Promise.all([0, 1, 2, 3, 4, 5].map(hammer));
    expect(await namesIn(other.driver, '')).toEqual([]);
    await driver.close();
  });
});

describe('check', () => {
  test('finds nothing wrong with a good folder, and leaves nothing in it', async () => {
    const { driver, root } = await openCache();
    const { ok, findings } = await driver.check();
    expect({ ok, errors: findings.filter(({ level }) => level === 'error') }).toEqual({
      ok: true,
      errors: [],
    });
    expect(await readdir(root)).toEqual(['.imgproxy-cache-tmp']);
  });

  test('says what is in the way', async () => {
    const { driver, root } = await openCache();
    await mkdir(join(root, RESERVED_NAME, 'full'), { recursive: true });
    const { ok, findings } = await driver.check();
    expect(ok).toBe(false);
    expect(findings).toMatchObject([
      { level: 'error', subject: 'write', error: { code: 'ERR_CACHE_CORRUPT' } },
    ]);
  });
});

describe('close', () => {
  test('waits for what runs, and refuses what comes after', async () => {
    const { driver, root } = await filled('a');
    const running = driver.put('b', entryOf('b', Buffer.alloc(16 * 1024 * 1024)));
    await Promise.all([driver.close(), driver.close()]);
    // Had close not waited, the entry would not be there yet.
    expect(await readdir(root)).toContain('b');
    await running;
    await expectCode(driver.get('a'), 'ERR_CACHE_CLOSED');
    await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_CLOSED');
    await expectCode(namesIn(driver, ''), 'ERR_CACHE_CLOSED');
    await expectCode(driver.check(), 'ERR_CACHE_CLOSED');
    await expect(driver.delete(['a'])).rejects.toMatchObject({
      code: 'ERR_CACHE_CLOSED',
      failedNames: ['a'],
    });
    await driver.close();
  });

  test('ends a list that is under way', async () => {
    const { driver } = await filled('a', 'b');
    const names = driver.list('')[Symbol.asyncIterator]();
    await names.next();
    await driver.close();
    await expectCode(names.next(), 'ERR_CACHE_CLOSED');
  });

  test('lets an entry be read that was got before', async () => {
    const { driver } = await filled('a');
    const body = Buffer.alloc(2 * 1024 * 1024, 'a');
    await driver.put('a', entryOf('a', body));
    const entry = await driver.get('a');
    await driver.close();
    expect(Buffer.from((await entry?.bytes()) ?? []).equals(body)).toBe(true);
  });
});

test('durable writes store, replace and delete as others do', async () => {
  const { driver, root } = await openCache({ sync: true });
  await driver.put('v1/ab/entry', entryOf('v1/ab/entry'));
  await driver.put('v1/ab/entry', entryOf('v1/ab/entry', Buffer.from('new')));
  expect(await bodyOf(driver, 'v1/ab/entry')).toEqual(Buffer.from('new'));
  await driver.delete(['v1/ab/entry']);
  expect(await readdir(root)).toEqual(['.imgproxy-cache-tmp']);
});
