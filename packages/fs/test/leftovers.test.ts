import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bodyOf, entryOf, expectCode, namesIn, newFolder, openCache } from './cache-folder.js';
import { startScript } from './child-process.js';

const NAME = 'v1/entry';
const FOREIGN_PLACE = '0123456789abcdef';

async function folderWith(...names: readonly string[]): Promise<{ root: string; temporary: string }> {
  const root = await newFolder();
  const temporary = join(root, '.imgproxy-cache-tmp');
  await mkdir(temporary);
  for (const name of names) await writeFile(join(temporary, name), 'part');
  return { root, temporary };
}

async function putAndClose(root: string): Promise<void> {
  const { driver } = await openCache({ root });
  await driver.put(NAME, entryOf(NAME));
  await driver.close();
}

describe('unfinished files', () => {
  test('of a writer elsewhere go when nobody touched them for an hour', async () => {
    const old = `${FOREIGN_PLACE}-1-1-00000000-1`;
    const recent = `${FOREIGN_PLACE}-1-1-00000000-2`;
    const { root, temporary } = await folderWith(old, recent);
    const now = Date.now() / 1000;
    await utimes(join(temporary, old), now - 3700, now - 3700);
    await utimes(join(temporary, recent), now - 3500, now - 3500);
    await putAndClose(root);
    expect(await readdir(temporary)).toEqual([recent]);
  });

  test.runIf(process.platform === 'linux')(
    'of a living process of this machine stay, however old (Linux)',
    async () => {
      const { root, temporary } = await folderWith();
      const writer = startScript('overwrite-forever.mjs', root, NAME, '1000000');
      let own: string | undefined;
      while (own === undefined) [own] = await readdir(temporary);
      const [place, pid, start] = own.split('-');
      expect(Number(pid)).toBe(writer.pid);
      const living = `${place}-${pid}-${start}-00000000-1`;
      const reborn = `${place}-${pid}-${Number(start) - 1}-00000000-1`;
      for (const name of [living, reborn]) await writeFile(join(temporary, name), 'part');
      await utimes(join(temporary, living), 0, 0);
      await putAndClose(root);
      expect(await readdir(temporary)).toContain(living);
      expect(await readdir(temporary)).not.toContain(reborn);
      await writer.nextMessage();
      await writer.kill();
      await putAndClose(root);
      expect(await readdir(temporary)).toEqual([]);
    },
  );

  test('are not confused with files that others left in their folder', async () => {
    const { root, temporary } = await folderWith('notes.txt', 'a-b-c', `${FOREIGN_PLACE}-0-1-00000000-1`);
    for (const name of await readdir(temporary)) await utimes(join(temporary, name), 0, 0);
    await putAndClose(root);
    expect(await readdir(temporary)).toHaveLength(3);
  });

  test('are never listed and are nobody’s entries', async () => {
    const { root, temporary } = await folderWith('file');
    const { driver } = await openCache({ root });
    await driver.put(NAME, entryOf(NAME));
    for (const prefix of ['', '.', '.imgproxy-cache-tmp', '.imgproxy-cache-tmp/', '.imgproxy-cache-tmp/f']) {
      expect(await namesIn(driver, prefix)).toEqual(prefix === '' ? [NAME] : []);
    }
    const name = '.imgproxy-cache-tmp/file';
    await expectCode(driver.get(name), 'ERR_CACHE_UNSUPPORTED');
    await expectCode(driver.put(name, entryOf(name)), 'ERR_CACHE_UNSUPPORTED');
    await expectCode(driver.delete([name]), 'ERR_CACHE_UNSUPPORTED');
    expect(await readdir(temporary)).toEqual(['file']);
  });

  test('never go through a link that waits at their name', async () => {
    const { driver, root } = await openCache();
    const temporary = join(root, '.imgproxy-cache-tmp');
    const victim = join(root, 'victim');
    await writeFile(victim, 'untouched');
    let first: string | undefined;
    const writing = driver.put(NAME, entryOf(NAME, Buffer.alloc(64 * 1024 * 1024)));
    while (first === undefined) [first] = await readdir(temporary).catch(() => []);
    await writing;
    const stem = first.slice(0, first.lastIndexOf('-'));
    const number = Number(first.slice(stem.length + 1));
    for (const next of [number + 1, number + 2]) await symlink(victim, join(temporary, `${stem}-${next}`));
    await driver.put(NAME, entryOf(NAME));
    expect(await bodyOf(driver, NAME)).toEqual(Buffer.from(entryOf(NAME).body));
    expect(await readFile(victim, 'utf8')).toBe('untouched');
    expect((await readdir(temporary)).sort()).toEqual([`${stem}-${number + 1}`, `${stem}-${number + 2}`]);
  });
});
