import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { firstByte, imageOf, newFile, openDriver } from './database-file.js';

/** The threads that are started from now on. */
function startedThreads(): Worker[] {
  const threads: Worker[] = [];
  const note = (thread: Worker): void => void threads.push(thread);
  process.on('worker', note);
  onTestFinished(() => void process.off('worker', note));
  return threads;
}

test('a thread that ends in the midst of a store fails it, and the next store starts another', async () => {
  const file = await newFile();
  await openDriver(file).put('v1/a', imageOf('v1/a', 1));
  const driver = openDriver(file, { busyTimeout: 3600 });
  const started = once(process, 'worker');
  let store: Promise<void> | undefined;
  let end: Promise<number> | undefined;
  await withLock(file, async () => {
    store = driver.put('v1/a', imageOf('v1/a', 2));
    const [thread] = (await started) as [Worker];
    end = thread.terminate();
  });
  await expect(store).rejects.toMatchObject({ code: 'ERR_CACHE_UNAVAILABLE', retryable: true });
  await end;
  await driver.put('v1/a', imageOf('v1/a', 3));
  expect(await firstByte(driver, 'v1/a')).toBe(3);
});

test('an idle thread that ends is replaced without a failure', async () => {
  const threads = startedThreads();
  const driver = openDriver(await newFile());
  await driver.put('v1/a', imageOf('v1/a', 1));
  expect(threads).toHaveLength(1);
  await Promise.all(threads.map((thread) => thread.terminate()));
  await driver.put('v1/a', imageOf('v1/a', 2));
  expect(await firstByte(driver, 'v1/a')).toBe(2);
});

test('while another process holds the lock images are read, and a store fails when its time is over', async () => {
  const file = await newFile();
  const driver = openDriver(file, { busyTimeout: 0.05 });
  await driver.put('v1/a', imageOf('v1/a', 1));
  await withLock(file, async () => {
    const late = {
      code: 'ERR_CACHE_TIMEOUT',
      retryable: true,
      message: expect.stringContaining('0.05 seconds'),
    };
    await expect(driver.put('v1/a', imageOf('v1/a', 2))).rejects.toMatchObject(late);
    await expect(driver.delete(['v1/a'])).rejects.toMatchObject({ ...late, failedNames: ['v1/a'] });
    expect(await firstByte(driver, 'v1/a')).toBe(1);
  });
  await driver.put('v1/a', imageOf('v1/a', 2));
  expect(await firstByte(driver, 'v1/a')).toBe(2);
});

test('a store that waits for the lock is aborted at once, and one behind it is never done', async () => {
  const file = await newFile();
  const driver = openDriver(file, { busyTimeout: 3600 });
  await driver.put('v1/a', imageOf('v1/a', 1));
  const controller = new AbortController();
  const { signal } = controller;
  await withLock(file, async () => {
    const stores = [
      driver.put('v1/b', imageOf('v1/b', 2), { signal }),
      driver.put('v1/c', imageOf('v1/c', 3), { signal }),
    ];
    expect(await firstByte(driver, 'v1/a')).toBe(1);
    controller.abort();
    for (const outcome of await Promise.allSettled(stores)) {
      expect(outcome).toMatchObject({ reason: { code: 'ERR_CACHE_ABORTED', retryable: false } });
    }
  });
  await driver.put('v1/a', imageOf('v1/a', 4));
  expect(await firstByte(driver, 'v1/c')).toBeUndefined();
});

/** Does something while a connection of its own holds the lock for writing. */
async function withLock(file: string, work: () => Promise<void>): Promise<void> {
  using database = new DatabaseSync(file);
  database.exec('BEGIN IMMEDIATE');
  await work();
}
