import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bodyOf, entryOf, expectCode, namesIn, newFolder, openCache } from './cache-folder.js';
import { run, scriptPath } from './child-process.js';

const NAME = 'v1/ab/cd/entry';

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o7777).toString(8);
}

describe('what lies in the place of an entry', () => {
  test('is a miss where it is a folder, or where a file is on the way', async () => {
    const { driver, root } = await openCache();
    await mkdir(join(root, NAME), { recursive: true });
    await writeFile(join(root, 'v1/file'), '');
    expect(await driver.get(NAME)).toBeUndefined();
    expect(await driver.get('v1/file/entry')).toBeUndefined();
    expect(await namesIn(driver, NAME)).toEqual([]);
    await driver.delete([NAME, 'v1/file/entry']);
    expect(await readdir(root, { recursive: true })).toContain(NAME);
  });

  test('is replaced where it is an empty folder', async () => {
    const { driver, root, events } = await openCache();
    await mkdir(join(root, NAME), { recursive: true });
    await driver.put(NAME, entryOf(NAME));
    expect(await bodyOf(driver, NAME)).toEqual(Buffer.from(entryOf(NAME).body));
    expect(events).toEqual([]);
  });

  test('makes a put fail where it is a folder of others, or where a file is on the way', async () => {
    const { driver, root } = await openCache();
    await mkdir(join(root, NAME, 'full'), { recursive: true });
    await writeFile(join(root, 'v1/file'), '');
    for (const name of [NAME, 'v1/file/entry', 'v1/file/deeper/entry']) {
      await expectCode(driver.put(name, entryOf(name)), 'ERR_CACHE_CORRUPT');
    }
    expect(await readdir(join(root, NAME))).toEqual(['full']);
    expect(await readFile(join(root, 'v1/file'), 'utf8')).toBe('');
    expect(await readdir(join(root, '.imgproxy-cache-tmp'))).toEqual([]);
  });

  test('is no miss any more once a put has met it, and is reported once', async () => {
    const { driver, root, events } = await openCache();
    await mkdir(join(root, NAME, 'full'), { recursive: true });
    await writeFile(join(root, 'v1/file'), '');
    for (let round = 0; round < 3; round += 1) {
      for (const name of [NAME, 'v1/file/entry']) {
        await expectCode(driver.put(name, entryOf(name)), 'ERR_CACHE_CORRUPT');
        await expectCode(driver.get(name), 'ERR_CACHE_CORRUPT');
      }
    }
    expect(events).toMatchObject([
      { kind: 'place-taken', level: 'warn', message: expect.stringContaining(join(root, NAME)) },
      { kind: 'place-taken', level: 'warn', message: expect.stringContaining(join(root, 'v1/file')) },
    ]);
    await rename(join(root, NAME), join(root, 'moved'));
    await rm(join(root, 'v1/file'));
    for (const name of [NAME, 'v1/file/entry']) {
      expect(await driver.get(name)).toBeUndefined();
      await driver.put(name, entryOf(name));
      expect(await bodyOf(driver, name)).toEqual(Buffer.from(entryOf(name).body));
    }
  });

  test('is found where a file takes the place of a folder that was used before', async () => {
    const { driver, root, events } = await openCache();
    await driver.put(NAME, entryOf(NAME));
    await rm(join(root, 'v1/ab'), { recursive: true });
    await writeFile(join(root, 'v1/ab'), '');
    await expectCode(driver.put(NAME, entryOf(NAME)), 'ERR_CACHE_CORRUPT');
    await expectCode(driver.get(NAME), 'ERR_CACHE_CORRUPT');
    expect(events).toMatchObject([{ message: expect.stringContaining(join(root, 'v1/ab')) }]);
  });

  test('is corrupt where it is a link, and is replaced without following it', async () => {
    const { driver, root } = await openCache();
    const elsewhere = join(await newFolder(), 'elsewhere');
    const other = await openCache();
    await other.driver.put(NAME, entryOf(NAME));
    await rename(join(other.root, NAME), elsewhere);
    const before = await readFile(elsewhere);
    await mkdir(join(root, 'v1/ab/cd'), { recursive: true });
    for (const target of [elsewhere, join(root, 'nowhere')]) {
      await symlink(target, join(root, NAME));
      await expectCode(driver.get(NAME), 'ERR_CACHE_CORRUPT');
      expect(await namesIn(driver, '')).toEqual([]);
      await driver.put(NAME, entryOf(NAME));
      expect(await bodyOf(driver, NAME)).toEqual(Buffer.from(entryOf(NAME).body));
      await driver.delete([NAME]);
      await mkdir(join(root, 'v1/ab/cd'), { recursive: true });
    }
    await symlink(elsewhere, join(root, NAME));
    await driver.delete([NAME]);
    expect(await readFile(elsewhere)).toEqual(before);
  });

  test('is corrupt where it is a FIFO or a socket, and nobody waits for it', async () => {
    const { driver, root } = await openCache();
    await run('mkfifo', [join(root, 'fifo')]);
    const server = createServer().listen(join(root, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    for (const name of ['fifo', 'socket']) await expectCode(driver.get(name), 'ERR_CACHE_CORRUPT');
    expect(await namesIn(driver, '')).toEqual([]);
    await driver.put('fifo', entryOf('fifo'));
    expect(await bodyOf(driver, 'fifo')).toEqual(Buffer.from(entryOf('fifo').body));
    await new Promise((resolve) => server.close(resolve));
  });
});

test('a FIFO that takes the place of an entry that was read before holds nobody up', async () => {
  const { driver, root } = await openCache();
  const path = join(root, NAME);
  for (const writer of [undefined, 'sleep 600', 'cat /dev/zero']) {
    await driver.put(NAME, entryOf(NAME));
    for (const _read of [1, 2]) await bodyOf(driver, NAME);
    await rm(path);
    await run('mkfifo', [path]);
    const shell = writer === undefined ? undefined : spawn('sh', ['-c', `exec ${writer} > ${path}`]);
    onTestFinished(() => void shell?.kill('SIGKILL'));
    for (const _read of [1, 2]) await expectCode(driver.get(NAME), 'ERR_CACHE_CORRUPT');
    shell?.kill('SIGKILL');
  }
});

test.for(['v1', 'v1/ab', 'v1/ab/cd', '.imgproxy-cache-tmp'])(
  'no path leads through a link at %s',
  async (folder) => {
    const { driver, root } = await openCache();
    const elsewhere = await newFolder();
    await mkdir(join(elsewhere, 'ab/cd'), { recursive: true });
    for (const place of ['entry', 'cd/entry', 'ab/cd/entry'])
      await mkdir(join(elsewhere, place, '..'), { recursive: true });
    for (const place of ['entry', 'cd/entry', 'ab/cd/entry']) {
      await mkdir(join(elsewhere, place, '..'), { recursive: true });
      await writeFile(join(elsewhere, place), 'untouched');
    }
    await mkdir(join(root, folder, '..'), { recursive: true });
    await symlink(elsewhere, join(root, folder));
    const isTemporary = folder === '.imgproxy-cache-tmp';
    const refused = isTemporary ? 'ERR_CACHE_UNSUPPORTED' : 'ERR_CACHE_CORRUPT';
    await expectCode(driver.put(NAME, entryOf(NAME)), refused);
    if (!isTemporary) {
      await expectCode(driver.get(NAME), 'ERR_CACHE_CORRUPT');
      await expectCode(driver.delete([NAME]), 'ERR_CACHE_UNSUPPORTED');
      await expectCode(namesIn(driver, `${folder}/`), 'ERR_CACHE_UNSUPPORTED');
    }
    expect(await namesIn(driver, '')).toEqual([]);
    expect((await readdir(elsewhere, { recursive: true })).sort()).toEqual(
      ['ab', 'ab/cd', 'ab/cd/entry', 'cd', 'cd/entry', 'entry'].sort(),
    );
    for (const place of ['entry', 'cd/entry', 'ab/cd/entry']) {
      expect(await readFile(join(elsewhere, place), 'utf8')).toBe('untouched');
    }
  },
);

test('the root itself may be a link', async () => {
  const root = join(await newFolder(), 'link');
  await symlink(await newFolder(), root);
  const { driver } = await openCache({ root });
  await driver.put(NAME, entryOf(NAME));
  expect(await namesIn(driver, '')).toEqual([NAME]);
});

describe('permissions', () => {
  test.for([
    ['077', '0600', '0700'],
    ['000', '0600', '0700'],
    ['077', '0640', '0750'],
    ['022', '0666', '2777'],
  ] as const)('under umask %s are %s and %s', async ([umask, fileMode, folderMode]) => {
    const root = await newFolder();
    await run(process.execPath, [scriptPath('put-once.mjs'), root, NAME, umask, fileMode, folderMode]);
    expect(await modeOf(join(root, NAME))).toBe(fileMode.replace(/^0/, ''));
    for (const folder of ['v1', 'v1/ab', 'v1/ab/cd', '.imgproxy-cache-tmp']) {
      expect(await modeOf(join(root, folder))).toBe(folderMode.replace(/^0/, ''));
    }
  });
});

describe('a bucket', () => {
  test('is one more folder, with unfinished files of its own', async () => {
    const { driver, root } = await openCache({ bucket: 'pictures' });
    expect(await driver.get(NAME)).toBeUndefined();
    expect(await namesIn(driver, '')).toEqual([]);
    await driver.put(NAME, entryOf(NAME));
    expect(await namesIn(driver, '')).toEqual([NAME]);
    expect(await readdir(root)).toEqual(['pictures']);
    expect((await readdir(join(root, 'pictures'))).sort()).toEqual(['.imgproxy-cache-tmp', 'v1']);
    const other = await openCache({ root, bucket: 'others' });
    expect(await other.driver.get(NAME)).toBeUndefined();
    await driver.delete([NAME]);
    expect(await readdir(root)).toEqual(['pictures']);
  });
});

describe('a root that goes away', () => {
  test.for(['', 'bucket'])('is told from a miss and recovers when it is back (bucket %j)', async (bucket) => {
    const { driver, root } = await openCache({ bucket });
    await driver.put(NAME, entryOf(NAME));
    const away = `${root}-away`;
    await rename(root, away);
    const gone = { code: 'ERR_CACHE_NO_BUCKET', message: expect.stringContaining('IMGPROXY_CACHE_FS_ROOT') };
    await expect(driver.get(NAME)).rejects.toMatchObject(gone);
    await expect(driver.get('v1/zz/new')).rejects.toMatchObject(gone);
    await expect(driver.put(NAME, entryOf(NAME))).rejects.toMatchObject(gone);
    await expect(driver.put('v1/zz/new', entryOf('v1/zz/new'))).rejects.toMatchObject(gone);
    await expect(driver.delete([NAME])).rejects.toMatchObject({ ...gone, failedNames: [NAME] });
    for (const prefix of ['', 'v1/ab/']) await expect(namesIn(driver, prefix)).rejects.toMatchObject(gone);
    expect(await driver.check()).toMatchObject({ ok: false });
    await expect(stat(root)).rejects.toMatchObject({ code: 'ENOENT' });

    await rename(away, root);
    expect(await bodyOf(driver, NAME)).toEqual(Buffer.from(entryOf(NAME).body));
    await driver.put(NAME, entryOf(NAME, Buffer.from('again')));
    expect(await bodyOf(driver, NAME)).toEqual(Buffer.from('again'));
  });

  test('and comes back empty is filled again at once', async () => {
    const { driver, root } = await openCache();
    await driver.put(NAME, entryOf(NAME));
    await rm(root, { recursive: true });
    await mkdir(root);
    expect(await driver.get(NAME)).toBeUndefined();
    await driver.put(NAME, entryOf(NAME));
    expect(await namesIn(driver, '')).toEqual([NAME]);
  });

  test('and becomes a file is no miss either', async () => {
    const { driver, root } = await openCache();
    await rm(root, { recursive: true });
    await writeFile(root, '');
    await expectCode(driver.get(NAME), 'ERR_CACHE_NO_BUCKET');
    await expectCode(driver.put(NAME, entryOf(NAME)), 'ERR_CACHE_NO_BUCKET');
  });
});

test('a path too long for the file system is said to be', async () => {
  const name = `${'n'.repeat(120)}/${'n'.repeat(120)}`;
  let root = await newFolder();
  while (root.length < 3890) {
    root = join(root, 'r'.repeat(200));
    await mkdir(root);
  }
  const { driver } = await openCache({ root });
  await expectCode(driver.put(name, entryOf(name)), 'ERR_CACHE_UNSUPPORTED');
  expect(await driver.get(name)).toBeUndefined();
  await driver.delete([name]);
});
