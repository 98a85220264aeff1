import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ManualClock, type ScriptProcess } from '@imgproxy-cache/driver-testkit';
import { describe, expect, test } from 'vitest';
import { entryOf, newFolder, openCache } from './cache-folder.js';
import { startScript } from './child-process.js';
import {
  bookkeeping,
  eventually,
  hashedName,
  heldWithin,
  putAll,
  someNames,
  storedBytes,
  TEMPORARY_FOLDER,
} from './stored-files.js';

const PROCESSES = 8;
const NAMES = 2000;
const BYTES = 10_000;
const LIMIT = 1000 * BYTES;
const HOUR = 60 * 60 * 1000;

interface Report {
  readonly stored: number;
  readonly hits: number;
  readonly wrong: readonly string[];
}

interface Load {
  readonly names: number;
  readonly inFlight: number;
  /** How long a rendering takes, in milliseconds. */
  readonly rendering: number;
}

// Some 100 stores a second by all: a tenth of the limit.
const MODERATE: Load = { names: NAMES, inFlight: 2, rendering: 150 };
// Nearly all of them misses, stored as fast as the machine can.
const FULL: Load = { names: 100 * NAMES, inFlight: 16, rendering: 0 };

function startUser(root: string, { names, inFlight, rendering }: Load = MODERATE): ScriptProcess {
  return startScript('use-forever.mjs', ...[root, LIMIT, names, BYTES, inFlight, rendering].map(String));
}

async function ask(child: ScriptProcess, question: 'report' | 'pause'): Promise<Report> {
  child.send(question);
  return (await child.nextMessage()) as Report;
}

async function askAll(children: readonly ScriptProcess[], question: 'report' | 'pause'): Promise<Report> {
  const reports = await Promise.all(children.map((child) => ask(child, question)));
  return {
    stored: reports.reduce((sum, { stored }) => sum + stored, 0),
    hits: reports.reduce((sum, { hits }) => sum + hits, 0),
    wrong: reports.flatMap(({ wrong }) => wrong),
  };
}

/** The largest size of the cache that was seen until the processes have stored so many bytes. */
async function largestUntil(bytes: number, root: string, users: readonly ScriptProcess[]): Promise<number> {
  let largest = 0;
  while ((await askAll(users, 'report')).stored < bytes) {
    await setTimeout(100);
    largest = Math.max(largest, await storedBytes(root));
  }
  return largest;
}

/** A cache that is almost as large as the limit. */
async function filledFolder(): Promise<string> {
  const root = await newFolder();
  const { driver } = await openCache({ root });
  const names = Array.from({ length: 900 }, (_, number) => number);
  for (const number of names) {
    const body = Buffer.alloc(BYTES + (number % 7) * 100);
    body.writeUInt32BE(number, 0);
    await driver.put(hashedName(number), entryOf(hashedName(number), body));
  }
  await driver.close();
  return root;
}

describe('several processes', { timeout: 300_000 }, () => {
  test('of which each stores keep within one limit, and nobody reads what is not whole', async () => {
    const root = await filledFolder();
    const users = Array.from({ length: PROCESSES }, () => startUser(root));
    expect(await largestUntil(LIMIT, root, users)).toBeLessThanOrEqual(1.05 * LIMIT);
    await askAll(users, 'pause');
    await heldWithin(root, LIMIT);
    expect(await storedBytes(root)).toBeGreaterThan(0.85 * LIMIT);
    const { wrong, hits } = await askAll(users, 'report');
    expect(wrong).toEqual([]);
    expect(hits).toBeGreaterThan(100);
  });

  test('of which two store as fast as they can exceed the limit by a tenth at most, and raise no alarm', async () => {
    const root = await newFolder();
    const users = [startUser(root, FULL), startUser(root, FULL)];
    expect(await largestUntil(8 * LIMIT, root, users)).toBeLessThanOrEqual(1.1 * LIMIT);
    const { wrong } = await askAll(users, 'pause');
    expect(wrong).toEqual([]);
    await heldWithin(root, LIMIT);
  });

  test('killed at any moment leave a few empty files, which the next count removes', async () => {
    const root = await filledFolder();
    const users: ScriptProcess[] = [startUser(root), startUser(root)];
    for (let kill = 0; kill < 12; kill += 1) {
      const user = startUser(root);
      users.push(user);
      await ask(user, 'report');
      await setTimeout(Math.random() * 300);
      const victim = users.shift();
      if (victim !== undefined) await victim.kill();
    }
    const { wrong } = await askAll(users, 'report');
    expect(wrong).toEqual([]);
    await Promise.all(users.map((user) => user.kill()));
    // No more than a tally and an unfinished entry or two of each, and what belongs to all.
    expect((await bookkeeping(root)).length).toBeLessThanOrEqual(14 * 3 + 2);

    const clock = new ManualClock({ now: Date.now() + HOUR / 2 });
    const { driver, events } = await openCache({ root, maxSize: LIMIT }, clock);
    clock.advance(1000);
    await eventually(() => events.some(({ kind }) => kind === 'size-counted'));
    await driver.put('v1/last', entryOf('v1/last'));
    clock.advance(1000);
    await heldWithin(root, LIMIT);
    await driver.close();
    const own = (await bookkeeping(root)).filter((name) => name.startsWith('tally.'));
    expect(await bookkeeping(root)).toEqual([...['size'], ...own]);
    expect(own.length).toBeLessThanOrEqual(1);
  });
});

describe('who counts', { timeout: 120_000 }, () => {
  test('is not stopped by one that died at it, or on another machine an hour ago', async () => {
    const elsewhere = '0123456789abcdef-1-1-00000000-1';
    const user = startUser(await newFolder());
    await ask(user, 'report');
    await user.kill();
    for (const holder of [elsewhere, 'what is this?']) {
      const root = await newFolder();
      const before = await openCache({ root });
      await putAll(before.driver, someNames('a', 20));
      await symlink(holder, join(root, TEMPORARY_FOLDER, 'counting'));
      const clock = new ManualClock({ now: Date.now() + HOUR });
      const { events } = await openCache({ root, maxSize: LIMIT }, clock);
      clock.advance(1000);
      await eventually(() => events.some(({ kind }) => kind === 'size-counted'));
      await eventually(async () => !(await bookkeeping(root)).includes('counting'));
    }
  });

  test('does not mind what others have written in the place of a count', async () => {
    for (const text of ['', '{}', 'null', '{"bytes":"many"}', 'shopping list']) {
      const root = await newFolder();
      const before = await openCache({ root });
      await putAll(before.driver, someNames('a', 20));
      await writeFile(join(root, TEMPORARY_FOLDER, 'size'), text);
      const { driver } = await openCache({ root, maxSize: 100_000 });
      await putAll(driver, someNames('b', 1));
      await heldWithin(root, 100_000);
      await driver.close();
    }
  });
});
