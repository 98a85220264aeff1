import { expect, test } from 'vitest';
import { run, scriptPath, startScript } from './child-process.js';
import { firstByte, imageOf, newFile, openDriver, withDatabase } from './database-file.js';

test('eight processes create one database together, store and read, and each finds whole images', async () => {
  const file = await newFile();
  const processes = Array.from({ length: 8 }, (_, number) =>
    startScript('use-together.mjs', file, String(number + 1), '15'),
  );
  const reports = await Promise.all(processes.map((each) => each.nextMessage()));
  expect(reports).toEqual(Array(8).fill({ hits: 15, wrong: [] }));
});

test('processes killed in the midst of stores leave a sound database with whole images', async () => {
  const file = await newFile();
  const names = ['v1/a', 'v1/b', 'v1/c'];
  for (let round = 0; round < 2; round += 1) {
    const writers = names.map((name) => startScript('put-forever.mjs', file, name));
    await Promise.all(writers.map((writer) => writer.nextMessage()));
    await Promise.all(writers.map((writer) => writer.kill()));
    const driver = openDriver(file);
    const stored = await Promise.all(names.map((name) => firstByte(driver, name)));
    expect(stored).toEqual(names.map(() => expect.any(Number)));
    await driver.put('v1/next', imageOf('v1/next', round));
    expect(await firstByte(driver, 'v1/next')).toBe(round);
    await driver.close();
  }
  const state = withDatabase(file, (database) => [
    database.prepare('PRAGMA integrity_check').get(),
    database.prepare('SELECT count(*) AS halves FROM entry WHERE id NOT IN (SELECT entry FROM chunk)').get(),
    database.prepare('SELECT count(*) AS orphans FROM chunk WHERE entry NOT IN (SELECT id FROM entry)').get(),
  ]);
  expect(state).toEqual([{ integrity_check: 'ok' }, { halves: 0 }, { orphans: 0 }]);
});

test('a driver that is left open keeps no process alive', async () => {
  const { stdout } = await run(process.execPath, [scriptPath('leave-open.mjs'), await newFile()]);
  expect(stdout).toBe('at its end\n');
});

test('a process that closes the driver in the midst of a store waits for both', async () => {
  const { stdout } = await run(process.execPath, [scriptPath('close-early.mjs'), await newFile()]);
  expect(stdout).toBe('stored and closed\n');
});

test('where Node.js may start no threads every operation says so', async () => {
  const rights = ['--permission', '--allow-fs-read=*', '--allow-fs-write=*'];
  const operations = ['get', 'put-small', 'delete', 'check'];
  const { stdout } = await run(process.execPath, [
    ...rights,
    scriptPath('report-failures.mjs'),
    await newFile(),
    ...operations,
  ]);
  const failure = {
    code: 'ERR_CACHE_UNAVAILABLE',
    message: expect.stringContaining('thread cannot be started'),
  };
  expect(JSON.parse(stdout)).toMatchObject([failure, failure, failure, { result: ['error write'] }]);
});
