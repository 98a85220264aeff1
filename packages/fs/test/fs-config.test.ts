import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fs, { type FsConfig } from '@imgproxy-cache/fs';
import { describe, expect, test } from 'vitest';
import { configFor, newFolder, openCache } from './cache-folder.js';

async function faultyVariables(config: FsConfig): Promise<readonly string[]> {
  const faults = (await fs.validate?.(config)) ?? [];
  return faults.map(({ variable }) => variable);
}

describe('the configuration', () => {
  test('is right with an existing folder and the defaults of all other variables', async () => {
    const { bucket, sync, fileMode, folderMode, maxSize, minFreeSpace } = fs.config;
    const defaults = {
      bucket: bucket.default,
      sync: sync.default,
      fileMode: fileMode.default,
      folderMode: folderMode.default,
      maxSize: maxSize.default,
      minFreeSpace: minFreeSpace.default,
    };
    expect(await faultyVariables({ root: await newFolder(), ...defaults })).toEqual([]);
  });

  test('does not create a root that is missing', async () => {
    const root = join(await newFolder(), 'unmounted');
    const [fault] = (await fs.validate?.(configFor(root))) ?? [];
    expect(fault).toMatchObject({
      variable: 'IMGPROXY_CACHE_FS_ROOT',
      message: expect.stringContaining('does not exist'),
    });
    await expect(mkdir(root)).resolves.toBeUndefined();
  });

  test('refuses a root that is blank, a file, or no path at all', async () => {
    const folder = await newFolder();
    const file = join(folder, 'file');
    await writeFile(file, '');
    for (const root of ['', file, join(file, 'below'), `${folder}\0`]) {
      expect(await faultyVariables(configFor(root)), root).toEqual(['IMGPROXY_CACHE_FS_ROOT']);
    }
  });

  test('refuses a bucket that is not one folder', async () => {
    const root = await newFolder();
    for (const bucket of ['a/b', '/', '..', '.', 'a\0b', ' a', 'ä', 'a'.repeat(201), '.imgproxy-cache-tmp']) {
      expect(await faultyVariables(configFor(root, { bucket })), bucket).toEqual(['IMGPROXY_CACHE_BUCKET']);
    }
    expect(await faultyVariables(configFor(root, { bucket: 'pictures.example' }))).toEqual([]);
  });

  test.for(['', '600', '0600', '640', '0666'])(
    'takes %j as the mode of files or says why not',
    async (fileMode) => {
      const faults = await faultyVariables(configFor(await newFolder(), { fileMode }));
      expect(faults).toEqual(fileMode === '' ? ['IMGPROXY_CACHE_FS_FILE_MODE'] : []);
    },
  );

  test('refuses modes that are not octal or shut out the owner', async () => {
    const root = await newFolder();
    for (const fileMode of ['rw-------', '0800', '0400', '0o600', '4600', ' 0600', '60']) {
      const faults = await faultyVariables(configFor(root, { fileMode }));
      expect(faults, fileMode).toEqual(['IMGPROXY_CACHE_FS_FILE_MODE']);
    }
    for (const folderMode of ['0600', '1700', '4700', '07000', '700 ']) {
      const faults = await faultyVariables(configFor(root, { folderMode }));
      expect(faults, folderMode).toEqual(['IMGPROXY_CACHE_FS_DIR_MODE']);
    }
  });

  test('reports all faults at once', async () => {
    const faults = await faultyVariables(configFor('', { bucket: '..', fileMode: 'x', folderMode: 'x' }));
    expect(faults).toHaveLength(4);
  });

  test('warns of the root of the file system', async () => {
    expect((await openCache({ root: '//' })).events).toMatchObject([
      { kind: 'root-is-slash', level: 'warn' },
    ]);
    expect((await openCache()).events).toEqual([]);
  });
});
