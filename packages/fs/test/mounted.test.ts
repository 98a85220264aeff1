import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { entryOf, newFolder, openCache } from './cache-folder.js';
import { run, scriptPath } from './child-process.js';

/** Whether this machine lets an ordinary user mount a file system of his own. */
async function mayMount(): Promise<boolean> {
  try {
    await run('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp']);
    return true;
  } catch {
    return false;
  }
}

interface Outcome {
  readonly operation: string;
  readonly result?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly retryable?: boolean;
}

/** Runs shell lines in a mount namespace of their own, on a new mount point; `cache` performs operations on it. */
async function onMount(lines: string): Promise<Outcome[][]> {
  const mount = join(await newFolder(), 'mount');
  await mkdir(mount);
  const cache = `cache() { "${process.execPath}" "${scriptPath('report-failures.mjs')}" "${mount}" "$@"; echo; }`;
  const script = `set -e; MOUNT="${mount}"; ${cache}; ${lines}`;
  const { stdout } = await run('unshare', ['-Urm', 'sh', '-c', script]);
  expect(await readdir(mount)).toEqual([]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const permitted = await mayMount();

describe.runIf(permitted)('a file system (needs the right to mount: unshare -Urm)', () => {
  test('without bytes left says so, keeps the old entry and takes new ones when there is room', async () => {
    const [outcomes = []] = await onMount(
      'mount -t tmpfs -o size=4m tmpfs "$MOUNT"; cache put-small put-large get put-again delete get',
    );
    const noSpace = {
      code: 'ERR_CACHE_NO_SPACE',
      message: expect.stringContaining('no bytes'),
      retryable: true,
    };
    expect(outcomes).toMatchObject([
      { result: 'done' },
      { operation: 'put-large', ...noSpace },
      { result: 'hit' },
      { result: 'done' },
      { result: 'done' },
      { result: 'miss' },
    ]);
  });

  test('without bytes left keeps nothing of what did not fit', async () => {
    const { stdout } = await run('unshare', [
      '-Urm',
      'sh',
      '-c',
      `mount -t tmpfs -o size=4m tmpfs "$0"; "${process.execPath}" "${scriptPath('report-failures.mjs')}" "$0" put-large >/dev/null; find "$0" -type f`,
      await newFolder(),
    ]);
    expect(stdout).toBe('');
  });

  test('keeps its floor of free space, whatever fills it', async () => {
    const { stdout } = await run('unshare', [
      '-Urm',
      'sh',
      '-c',
      `mount -t tmpfs -o size=16m tmpfs "$0"; "${process.execPath}" "${scriptPath('keep-floor.mjs')}" "$0"`,
      await newFolder(),
    ]);
    const floor = 4 * 1024 * 1024;
    const [stored, filled] = JSON.parse(stdout);
    expect(stored.free).toBeGreaterThanOrEqual(floor);
    expect(stored.entries).toBeGreaterThan(50);
    expect(filled.free).toBeGreaterThanOrEqual(floor);
    expect(filled.entries).toBeGreaterThan(10);
    expect(filled.entries).toBeLessThan(stored.entries);
    // What goes is what was stored first.
    expect(filled.newest).toBe(true);
  });

  test('that is full, and a limit is set, has room for the entries after the one that found none', async () => {
    const { stdout } = await run('unshare', [
      '-Urm',
      'sh',
      '-c',
      `mount -t tmpfs -o size=8m tmpfs "$0"; "${process.execPath}" "${scriptPath('fill-disk.mjs')}" "$0"`,
      await newFolder(),
    ]);
    expect(JSON.parse(stdout)).toEqual({ failure: 'ERR_CACHE_NO_SPACE', storedAfterwards: true });
  });

  test('without inodes left says so', async () => {
    const [outcomes = []] = await onMount(
      'mount -t tmpfs -o size=64m,nr_inodes=20 tmpfs "$MOUNT"; cache put-small fill get put-again check',
    );
    expect(outcomes).toMatchObject([
      { result: 'done' },
      { operation: 'fill', code: 'ERR_CACHE_NO_SPACE', message: expect.stringContaining('no inodes') },
      { result: 'hit' },
      { operation: 'put-again', code: 'ERR_CACHE_NO_SPACE' },
      { result: ['error write', 'warning space'] },
    ]);
  });

  test('mounted read-only still serves', async () => {
    const [, outcomes = []] = await onMount(
      'mount -t tmpfs tmpfs "$MOUNT"; cache put-small; mount -o remount,ro "$MOUNT"; cache get put-again delete get check',
    );
    const denied = {
      code: 'ERR_CACHE_ACCESS_DENIED',
      message: expect.stringContaining('read-only'),
      retryable: false,
    };
    expect(outcomes).toMatchObject([
      { result: 'hit' },
      { operation: 'put-again', ...denied },
      { operation: 'delete', ...denied },
      { result: 'hit' },
      { result: ['error write'] },
    ]);
  });

  test('mounted inside the cache is refused with the reason', async () => {
    const [outcomes = []] = await onMount(
      'mount -t tmpfs tmpfs "$MOUNT"; mkdir "$MOUNT/v1"; mount -t tmpfs tmpfs "$MOUNT/v1"; cache put-small get',
    );
    expect(outcomes).toMatchObject([
      { code: 'ERR_CACHE_UNSUPPORTED', message: expect.stringContaining('another file system') },
      { result: 'miss' },
    ]);
  });

  test('that is empty when the disk is not mounted misses, and serves when it is', async () => {
    const [unmounted, , mounted] = await onMount(
      'cache get; mount -t tmpfs tmpfs "$MOUNT"; cache put-small; cache get',
    );
    expect([unmounted, mounted]).toMatchObject([[{ result: 'miss' }], [{ result: 'hit' }]]);
  });
});

describe.runIf(permitted)('rights (needs user namespaces: unshare -Ur)', () => {
  test('that are missing are told from a miss', async () => {
    const folder = await newFolder();
    // Without capabilities even the root user of the namespace is bound to modes.
    const { stdout } = await run('unshare', [
      '-Ur',
      'sh',
      '-c',
      `"${process.execPath}" "${scriptPath('report-failures.mjs')}" "$0" put-small; echo; chmod 0 "$0/v1"; setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all "${process.execPath}" "${scriptPath('report-failures.mjs')}" "$0" get put-again delete check; chmod 700 "$0/v1"`,
      folder,
    ]);
    const [, outcomes] = stdout.split('\n').map((line) => JSON.parse(line));
    const denied = { code: 'ERR_CACHE_ACCESS_DENIED', message: expect.stringContaining('EACCES') };
    expect(outcomes).toMatchObject([denied, denied, denied, { operation: 'check', result: [] }]);
  });

  test('to delete that are missing stop no store, and are reported once', async () => {
    const folder = await newFolder();
    const { driver } = await openCache({ root: folder });
    for (let number = 0; number < 40; number += 1) {
      const name = `v1/${number}`;
      await driver.put(name, entryOf(name, Buffer.alloc(1000)));
    }
    await driver.close();
    const { stdout } = await run('unshare', [
      '-Ur',
      'sh',
      '-c',
      `chmod 500 "$0/v1"; setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all "${process.execPath}" "${scriptPath('evict-denied.mjs')}" "$0" 10000; chmod 700 "$0/v1"`,
      folder,
    ]);
    expect(JSON.parse(stdout)).toEqual(['eviction-failed', 'nothing-evictable']);
    expect(await readdir(join(folder, 'v1'))).toHaveLength(40);
  });
});
