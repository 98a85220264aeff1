import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run, scriptPath } from './child-process.js';
import { newFile } from './database-file.js';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));

/** The folder of a host that has the driver installed, as `npm install <folder>` does it. */
async function hostFolder(): Promise<string> {
  const folder = join(dirname(await newFile()), 'host');
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  await symlink(packageFolder, join(folder, 'node_modules', 'imgproxy-cache-driver-sqlite'));
  return folder;
}

async function fetchPicture(folder: string, file: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, [scriptPath('host.mjs'), folder, file]);
  return JSON.parse(stdout);
}

test('IMGPROXY_CACHE_USE=sqlite is a miss in one process of a host and a hit in the next', async () => {
  const [folder, file] = [await hostFolder(), await newFile()];
  const first = await fetchPicture(folder, file);
  const second = await fetchPicture(folder, file);
  expect([first, second]).toEqual([
    { status: expect.stringMatching(/^imgproxy-cache; fwd=miss/), body: 'a cat' },
    { status: 'imgproxy-cache; hit', body: 'a cat' },
  ]);
});

test('a host with a file that is no database does not start, and names the variable', async () => {
  const [folder, file] = [await hostFolder(), await newFile()];
  await writeFile(file, 'milk, bread and eggs');
  await expect(fetchPicture(folder, file)).rejects.toThrow('IMGPROXY_CACHE_SQLITE_FILE is');
});

test('a host without the file in its configuration does not start', async () => {
  await expect(fetchPicture(await hostFolder(), '')).rejects.toThrow('IMGPROXY_CACHE_SQLITE_FILE');
});
