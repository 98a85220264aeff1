import { DCLinter } from 'dclint';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { pathOf, read } from './files.js';
import { bytes, expectConsistent } from './variables.js';

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly mem_limit?: string;
  readonly cpus?: number;
  readonly stop_grace_period?: string;
  readonly environment?: Record<string, string>;
  readonly ports?: readonly string[];
}

const { services } = parse(read('compose.yaml')) as { services: Record<string, Service> };

test('the file keeps the schema of the Compose specification', () => {
  const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
  const [result] = linter.lintFiles([pathOf('compose.yaml')], false);
  const faults: { readonly rule: string }[] = result?.messages ?? [];
  const errors = faults.filter(({ rule }) => rule === 'invalid-schema' || rule === 'invalid-yaml');
  expect(result).toBeDefined();
  expect(errors).toEqual([]);
});

test('every image has a version, and every port is open to this machine alone', () => {
  for (const [name, { image, ports = [] }] of Object.entries(services)) {
    expect(image, name).toMatch(/:[\w.-]*\d[\w.-]*$/);
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
  }
});

test('the image server runs without rights, within limits that fit its variables', () => {
  const server = services['image-server'];
  expect(server).toMatchObject({ user: '1000:1000', read_only: true, cap_drop: ['ALL'] });
  expectConsistent(server?.environment ?? {}, {
    memory: bytes(server?.mem_limit ?? ''),
    cpus: Number(server?.cpus),
    stopSeconds: Number.parseInt(server?.stop_grace_period ?? '', 10),
  });
});
