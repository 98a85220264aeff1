import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
// Without a store of somebody's own, whatever the environment says.
const env = { ...process.env, BENCH_S3_ENDPOINT: '' };
const run = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, ['--expose-gc', MAIN, ...args], { env, maxBuffer: 16_000_000 });

interface Report {
  readonly machine: string;
  readonly sections: readonly {
    readonly name: string;
    readonly columns: readonly string[];
    readonly rows: readonly (readonly (string | number)[])[];
    readonly settings: readonly string[];
  }[];
}

describe('the bench', () => {
  it('runs every table, and prints each contestant with figures, version and settings', {
    timeout: 300_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'imgproxy-cache-bench-test-'));
    try {
      const json = join(folder, 'report.json');
      const { stdout } = await run('--smoke', '--json', json);
      const report = JSON.parse(await readFile(json, 'utf8')) as Report;
      expect(report.machine).toContain(`Node.js ${process.versions.node}`);
      expect(report.sections.map(({ name }) => name)).toEqual([
        'slow-readers',
        'fs-hit',
        'fs-store',
        'fs-restart',
        'memory-hit',
        'host',
        'key',
        'policy',
        'stampede',
        's3-hit',
        's3-store',
        ...('setDefaultCACertificates' in tls ? ['s3-hit-tls'] : []),
      ]);
      for (const { columns, rows } of report.sections) {
        expect(rows.length).toBeGreaterThan(0);
        for (const row of rows) expect(row).toHaveLength(columns.length);
      }
      expect(stdout).not.toMatch(/NaN|Infinity|undefined/);
      expect(stdout).toContain('- met: one rendering, whether it succeeds or fails: 1 and 1');
      const hits = report.sections[1];
      for (const contestant of ['fs driver', 'open + fstat + read', 'cacache.get', 'bentocache file get']) {
        expect(hits?.rows.filter(([name]) => name === contestant)).toHaveLength(6);
        expect(hits?.settings.some((line) => line.startsWith(`${contestant}: `))).toBe(true);
      }
      const wire = report.sections.find(({ name }) => name === 's3-hit');
      const requests = wire?.columns.indexOf('requests') ?? -1;
      const ours = wire?.rows.filter(([name]) => name === 'S3 driver, get') ?? [];
      // Five thousand and fifty thousand bytes with 1, 32 and 256 in flight, a million with 1 and 32.
      expect(ours).toHaveLength(8);
      for (const row of ours) expect(Number(row[requests])).toBeGreaterThanOrEqual(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says what a table lacks that needs a store of its caller', async () => {
    await expect(run('s3-ceph')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('s3-ceph: left out: set BENCH_S3_ENDPOINT'),
    });
  });

  it('names the tables when asked for one that does not exist', async () => {
    await expect(run('no-such')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no table no-such[\s\S]*tables: slow-readers, fs-hit/),
    });
  });
});
