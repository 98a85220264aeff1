import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { read } from './files.js';
import { bytes, expectConsistent } from './variables.js';

const UNIT = 'systemd/image-server.service';
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test(`the unit is well-formed (${hasSystemd ? 'systemd-analyze verify' : 'read here, without systemd'})`, () => {
  if (hasSystemd) {
    const folder = mkdtempSync(join(tmpdir(), 'unit-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const copy = join(folder, 'image-server.service');
    // It looks for the program, which may be elsewhere on this machine.
    writeFileSync(copy, read(UNIT).replace('/usr/bin/node', process.execPath));
    const report = execFileSync('systemd-analyze', ['verify', '--man=no', copy], { stdio: 'pipe' });
    expect(report.toString()).toBe('');
  }
  expect([...sections().keys()]).toEqual(['Unit', 'Service', 'Install']);
});

test('the service runs without rights, within limits that fit its variables', () => {
  const service = sections().get('Service') ?? new Map<string, string[]>();
  const one = (key: string) => service.get(key)?.[0] ?? '';
  expect(one('DynamicUser')).toBe('yes');
  expect(one('ProtectSystem')).toBe('strict');
  expect(one('NoNewPrivileges')).toBe('yes');
  const variables = Object.fromEntries(
    (service.get('Environment') ?? []).map((line) => line.split('=') as [string, string]),
  );
  expect(variables['IMGPROXY_CACHE_FS_ROOT']).toBe(`/var/cache/${one('CacheDirectory')}`);
  expectConsistent(variables, {
    memory: bytes(one('MemoryMax')),
    cpus: Number.parseInt(one('CPUQuota'), 10) / 100,
    stopSeconds: Number(one('TimeoutStopSec')),
  });
});

/** Section -> key -> values, as systemd reads them. */
function sections(): Map<string, Map<string, string[]>> {
  const found = new Map<string, Map<string, string[]>>();
  let current = new Map<string, string[]>();
  for (const line of read(UNIT).split('\n')) {
    const section = /^\[(\w+)\]$/.exec(line)?.[1];
    const [, key, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (section !== undefined) {
      current = new Map();
      found.set(section, current);
    } else if (key !== undefined) current.set(key, [...(current.get(key) ?? []), value]);
    else expect(line, 'is a section, a setting, a comment or blank').toMatch(/^(#.*)?$/);
  }
  return found;
}
