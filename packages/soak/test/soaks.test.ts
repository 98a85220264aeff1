import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SOAKS, type SoakResult } from 'soak';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const run = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [MAIN, ...args], { maxBuffer: 16_000_000 });

describe('the short form of each soak', () => {
  it.each(Object.keys(SOAKS))('%s passes, and tells seed, outcomes and judgements', async (name) => {
    const folder = await mkdtemp(join(tmpdir(), 'imgproxy-cache-soak-test-'));
    try {
      const json = join(folder, 'summary.json');
      const { stdout } = await run(name, '--brief', '--seed', '20261124', '--json', json).catch(
        (failed: { stdout: string; stderr: string }) => failed,
      );
      expect(stdout).toContain(`## ${name}: passed`);
      const [summary, ...others] = JSON.parse(await readFile(json, 'utf8')) as SoakResult[];
      expect(others).toEqual([]);
      expect(summary).toMatchObject({ name, seed: 20261124, passed: true });
      expect(summary?.outcomes.length).toBeGreaterThan(0);
      expect(summary?.judgements.length).toBeGreaterThan(0);
      if (name === 'policy') expect(summary?.figures).toHaveLength(12);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the command', () => {
  it('names the soaks when asked for one that does not exist', async () => {
    await expect(run('no-such')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no soak no-such[\s\S]*soaks: .*s3/),
    });
  });

  it.each(['--seed', '--operations'])('refuses a %s that is no whole number', async (option) => {
    await expect(run(option, 'many')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${option} takes a whole number, not many`),
    });
  });
});
