import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, scriptPath } from './child-process.js';
import { newFile } from './database-file.js';

/** Whether this machine lets an ordinary user mount a file system of his own. */
async function mayMount(): Promise<boolean> {
  try {
    await run('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp']);
    return true;
  } catch {
    return false;
  }
}

/** Runs shell lines on a new mount point; `cache` performs operations on a database there. */
async function onMount(lines: string): Promise<unknown[]> {
  const mount = join(dirname(await newFile()), 'mount');
  await mkdir(mount);
  const cache = `cache() { "${process.execPath}" "${scriptPath('report-failures.mjs')}" "${mount}/cache.db" "$@"; }`;
  const script = `set -e; MOUNT="${mount}"; ${cache}; ${lines}`;
  const { stdout } = await run('unshare', ['-Urm', 'sh', '-c', script]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe.runIf(await mayMount())('a disk (needs the right to mount: unshare -Urm)', () => {
  test('that is full says so, keeps the images that it has and takes new ones when there is room', async () => {
    const [outcomes] = await onMount(
      'mount -t tmpfs -o size=4m tmpfs "$MOUNT"; cache put-small put-large get put-small delete get check',
    );
    const noSpace = { code: 'ERR_CACHE_NO_SPACE', retryable: true };
    expect(outcomes).toMatchObject([
      { result: 'done' },
      { operation: 'put-large', ...noSpace, message: expect.stringContaining('cannot grow') },
      { result: 'hit' },
      { result: 'done' },
      { result: 'done' },
      { result: 'miss' },
      { result: [] },
    ]);
  });

  test('that is mounted read-only is no miss and no success', async () => {
    const [, outcomes] = await onMount(
      'mount -t tmpfs tmpfs "$MOUNT"; cache put-small; mount -o remount,ro "$MOUNT"; cache get put-small delete check',
    );
    const denied = { code: 'ERR_CACHE_ACCESS_DENIED', retryable: false };
    expect(outcomes).toMatchObject([denied, denied, denied, { result: ['error write'] }]);
  });

  test('that was unmounted is no miss', async () => {
    const [, outcomes] = await onMount(
      'mount -t tmpfs tmpfs "$MOUNT"; cache put-small; umount "$MOUNT"; rmdir "$MOUNT"; cache get put-small',
    );
    const missing = { code: 'ERR_CACHE_NO_BUCKET', retryable: false };
    expect(outcomes).toMatchObject([missing, missing]);
  });
});
