import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { SoakResult } from 'soak';
import { describe, expect, it } from 'vitest';
import { BROKEN_DRIVERS } from './broken-drivers.js';

const PROCESS = fileURLToPath(new URL('./processes/soak-broken-driver.ts', import.meta.url));

async function soakBroken(mistake: string): Promise<SoakResult> {
  // The oldest Node.js that packages take asks for the flag.
  const args = ['--experimental-strip-types', PROCESS, mistake];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as SoakResult;
}

const judged = new Set<string>();

describe.concurrent('the judgements of the s3 soak', () => {
  it.each(BROKEN_DRIVERS)('see a driver that $mistake', async ({ mistake, seenBy }) => {
    const { judgements } = await soakBroken(mistake);
    for (const { name } of judgements) judged.add(name);
    const failed = judgements.filter(({ holds }) => !holds).map(({ name }) => name);
    expect(failed).toEqual(expect.arrayContaining([...seenBy]));
  });
});

describe('each judgement', () => {
  it('can fail', () => {
    expect([...judged].sort()).toEqual([...new Set(BROKEN_DRIVERS.flatMap(({ seenBy }) => seenBy))].sort());
  });
});
