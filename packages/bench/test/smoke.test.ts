import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
// Without a store of somebody's own, whatever the environment says.
const env = { ...process.env, BENCH_S3_ENDPOINT: '' };
const run = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [MAIN, ...args], { env, maxBuffer: 16_000_000 });

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
    timeout: 600_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'imgproxy-cache-bench-test-'));
    try {
      const json = join(folder, 'report.json');
      const { stdout } = await run('--smoke', '--json', json);
      const report = JSON.parse(await readFile(json, 'utf8')) as Report;
      expect(report.machine).toContain(`Node.js ${process.versions.node}`);
      expect(report.sections.map(({ name }) => name)).toEqual([
        'slow-readers',
        'memory-hit',
        'memory-hit-8000',
        'memory-hit-50000',
        'host',
        'key',
        'fs-hit',
        'fs-large-hit',
        'fs-store',
        'fs-limit-10000',
        'fs-limit-100000',
        'fs-restart',
        's3-hit',
        's3-miss',
        's3-store',
        's3-hit-tls',
        's3-large-hit',
        'stampede',
        'stalls',
      ]);
      for (const { columns, rows } of report.sections) {
        expect(rows.length).toBeGreaterThan(0);
        for (const row of rows) expect(row).toHaveLength(columns.length);
      }
      expect(stdout).not.toMatch(/NaN|Infinity|undefined/);
      expect(stdout).toContain('- met: one rendering, whether it succeeds or fails: 1 and 1');
      // Of the cells of a table, the last.
      const sectionOf = (name: string): Report['sections'][number] | undefined =>
        report.sections.find((section) => section.name === name);
      const hits = sectionOf('fs-hit');
      for (const contestant of ['ImageCache.fetch on fs', 'open + fstat + read', 'readFile', 'cacache.get']) {
        expect(hits?.rows.filter(([name]) => name === contestant)).toHaveLength(1);
        expect(hits?.settings.some((line) => line.startsWith(`${contestant}: `))).toBe(true);
      }
      expect(hits?.columns).not.toContain('requests');
      for (const name of ['s3-hit', 's3-hit-tls', 's3-miss']) {
        const { columns = [], rows = [] } = sectionOf(name) ?? {};
        const ours = rows.filter(([contestant]) => contestant === 'ImageCache.fetch on S3');
        expect(ours).toHaveLength(1);
        for (const row of ours) expect(Number(row[columns.indexOf('requests')])).toBeGreaterThanOrEqual(1);
      }
      const goals = stdout.slice(0, stdout.indexOf('## Large hits'));
      expect(goals.match(/^- (met|MISSED): /gm)?.length).toBeGreaterThanOrEqual(15);
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
      stderr: expect.stringMatching(/no table no-such[\s\S]*tables: slow-readers, memory-hit/),
    });
  });
});
