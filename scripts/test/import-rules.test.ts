import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkImports } from '../checks/check-imports.mjs';
import { importRules } from '../checks/import-rules.mjs';

type Files = Record<string, string>;

const core = 'packages/core/src';

/** A workspace in which every module and package imports all that it may. */
const allowed: Files = {
  'packages/core/package.json': manifest('@imgproxy-cache/core', {
    exports: { '.': './dist/index.js', './driver': './dist/driver/index.js' },
    dependencies: { undici: '1.0.0' },
  }),
  'packages/core/dist/index.js': 'export const core = 1;',
  'packages/core/dist/driver/index.js': 'export const contract = 1;',
  [`${core}/index.ts`]: "export * from './container/container.js';",
  [`${core}/driver/contract.ts`]: 'export const contract = 1;',
  [`${core}/key/key.ts`]: "import '../driver/contract.js';",
  [`${core}/config/config.ts`]: "import '../driver/contract.js'; export type Config = 1;",
  [`${core}/resilience/resilience.ts`]: "import '../driver/contract.js'; import 'node:async_hooks';",
  [`${core}/cache/cache-events.ts`]: 'export type CacheEvent = 1;',
  [`${core}/cache/image-cache.ts`]:
    "import '../key/key.js'; import '../resilience/resilience.js'; import type { Config } from '../config/config.js'; export type C = Config;",
  [`${core}/telemetry/telemetry.ts`]:
    "import type { CacheEvent } from '../cache/cache-events.js'; import '../driver/contract.js'; export type E = CacheEvent;",
  [`${core}/container/container.ts`]: "import '../cache/image-cache.js'; import '../telemetry/telemetry.js';",
  'packages/fs/package.json': manifest('@imgproxy-cache/fs', {
    exports: { '.': './dist/index.js' },
    dependencies: { sdk: '1.0.0' },
    peerDependencies: { '@imgproxy-cache/core': '*' },
    devDependencies: { '@imgproxy-cache/core': '*', 'dev-tool': '1.0.0' },
  }),
  'packages/fs/dist/index.js': 'export const fs = 1;',
  'packages/fs/src/index.ts': "import '@imgproxy-cache/core/driver'; import 'sdk'; import 'node:http';",
  'packages/fs/test/driver.test.ts': "import '@imgproxy-cache/fs'; import 'dev-tool';",
  'packages/memory/package.json': manifest('@imgproxy-cache/memory', {
    peerDependencies: { '@imgproxy-cache/core': '*' },
    dependencies: { '@imgproxy-cache/fs': '*' },
  }),
  'packages/memory/src/index.ts': "import '@imgproxy-cache/core/driver';",
  'packages/url/package.json': manifest('@imgproxy-cache/url', {
    dependencies: { '@imgproxy-cache/core': '*', '@imgproxy-cache/fs': '*' },
  }),
  'packages/url/src/index.ts': "import '@imgproxy-cache/core';",
  'packages/http/package.json': manifest('@imgproxy-cache/http', {
    dependencies: { '@imgproxy-cache/core': '*', '@imgproxy-cache/url': '*', sdk: '1.0.0' },
  }),
  'packages/http/src/index.ts':
    "import '@imgproxy-cache/core'; import 'node:http'; import 'node:stream/promises';",
  'packages/fake-s3/package.json': manifest('fake-s3', {
    exports: { '.': './dist/index.js' },
    dependencies: { '@imgproxy-cache/core': '*' },
  }),
  'packages/fake-s3/src/index.ts': "import 'node:http';",
  'examples/host/package.json': manifest('host', {
    dependencies: { '@imgproxy-cache/core': '*', '@imgproxy-cache/fs': '*' },
  }),
  'examples/custom-driver/package.json': manifest('imgproxy-cache-driver-custom', {
    peerDependencies: { '@imgproxy-cache/core': '*' },
  }),
  'examples/custom-driver/src/index.ts': "import '@imgproxy-cache/core/driver';",
  'examples/host/src/main.ts': "import '@imgproxy-cache/core'; import '@imgproxy-cache/fs';",
};

/** For each rule the files that break it, and the one that is to be blamed. */
const forbidden: { rule: string; blamed: string; files: Files }[] = [
  breach('driver-stands-alone', `${core}/driver/wrong.ts`, "import '../key/key.js';"),
  breach(
    'driver-stands-alone',
    `${core}/driver/wrong-type.ts`,
    "export type K = import('../config/config.js').Config;",
  ),
  breach('key-on-driver', `${core}/key/wrong.ts`, "import '../resilience/resilience.js';"),
  breach('config-on-driver', `${core}/config/wrong.ts`, "import '../key/key.js';"),
  breach('resilience-on-driver', `${core}/resilience/wrong.ts`, "import '../key/key.js';"),
  breach('resilience-knows-no-wire', `${core}/resilience/wrong-http.ts`, "import 'node:http';"),
  breach('resilience-knows-no-wire', `${core}/resilience/wrong-client.ts`, "import 'undici';"),
  breach('cache-on-key-resilience-driver', `${core}/cache/wrong.ts`, "import '../telemetry/telemetry.js';"),
  breach('cache-takes-types-of-config', `${core}/cache/wrong-config.ts`, "import '../config/config.js';"),
  breach('telemetry-on-events', `${core}/telemetry/wrong.ts`, "import '../cache/image-cache.js';"),
  breach('container-is-the-top', `${core}/cache/wrong-container.ts`, "import '../container/container.js';"),
  breach('known-modules', `${core}/wrong.ts`, "import './attic/box.js';", {
    [`${core}/attic/box.ts`]: 'export {};',
  }),
  breach('core-on-no-package', `${core}/container/wrong.ts`, "import '@imgproxy-cache/fs';"),
  breach('driver-package-on-contract', 'packages/memory/src/wrong.ts', "import '@imgproxy-cache/core';"),
  breach(
    'third-party-driver-on-contract',
    'examples/custom-driver/src/wrong.ts',
    "import '@imgproxy-cache/core';",
  ),
  breach('http-on-core', 'packages/http/src/wrong-package.ts', "import '@imgproxy-cache/url';"),
  breach('http-on-core', 'packages/http/src/wrong-framework.ts', "import 'sdk';"),
  breach('drivers-are-leaves', 'packages/memory/src/wrong-driver.ts', "import '@imgproxy-cache/fs';"),
  breach('drivers-are-leaves', 'packages/url/src/wrong.ts', "import '@imgproxy-cache/fs';"),
  breach('fake-s3-on-no-package', 'packages/fake-s3/src/wrong.ts', "import '@imgproxy-cache/core/driver';"),
  breach(
    'through-the-public-entry-point',
    'examples/host/src/wrong.ts',
    "import '../../../packages/fs/src/index.js';",
  ),
  breach('tests-use-the-public-entry-point', 'packages/fs/test/wrong.test.ts', "import '../src/index.js';"),
  breach('no-cycle', `${core}/key/wrong-one.ts`, "import './wrong-other.js';", {
    [`${core}/key/wrong-other.ts`]: "import './wrong-one.js';",
  }),
  breach('no-orphan', `${core}/key/forgotten.ts`, 'export const forgotten = 1;'),
  breach('declared-dependencies', 'packages/url/src/undeclared.ts', "import 'sdk';"),
  breach('declared-dependencies', 'packages/url/src/unknown.ts', "import 'not-installed';"),
  breach('no-dev-dependency-in-source', 'packages/fs/src/wrong.ts', "import 'dev-tool';"),
];

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

test('a workspace that keeps the rules passes', async () => {
  const { files, forbidden } = await checkImports(await workspace(allowed));

  expect(forbidden).toEqual([]);
  expect(files).toBeGreaterThan(Object.keys(allowed).filter((path) => path.endsWith('.ts')).length);
});

describe('a workspace that breaks the rules', () => {
  let found: { rule: string; from: string }[];
  beforeAll(async () => {
    const wrong = Object.assign({}, ...forbidden.map(({ files }) => files));
    found = (await checkImports(await workspace({ ...allowed, ...wrong }))).forbidden;
  });

  test.each(forbidden)('$rule blames $blamed', ({ rule, blamed }) => {
    expect(found).toContainEqual(expect.objectContaining({ rule, from: blamed }));
  });

  test('no rule is without a case, and no right file is blamed for an import of its own', () => {
    expect(new Set(forbidden.map(({ rule }) => rule))).toEqual(new Set(importRules.map(({ name }) => name)));
    expect(found.filter(({ from }) => from in allowed)).toEqual([]);
  });
});

function breach(rule: string, blamed: string, text: string, others: Files = {}) {
  return { rule, blamed, files: { [blamed]: text, ...others } };
}

function manifest(name: string, fields: object): string {
  return JSON.stringify({ name, version: '1.0.0', type: 'module', ...fields });
}

async function workspace(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'import-rules-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) await write(join(folder, path), text);
  for (const name of ['sdk', 'dev-tool', 'undici']) {
    await write(
      join(folder, 'node_modules', name, 'package.json'),
      manifest(name, { exports: './index.js' }),
    );
    await write(join(folder, 'node_modules', name, 'index.js'), '');
  }
  await mkdir(join(folder, 'node_modules/@imgproxy-cache'));
  for (const name of ['core', 'fs']) {
    const link = join(folder, 'node_modules/@imgproxy-cache', name);
    await symlink(relative(dirname(link), join(folder, 'packages', name)), link);
  }
  return folder;
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
