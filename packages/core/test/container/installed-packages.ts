import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** A package as npm would install it: its `package.json` without the name, and its files. */
export interface InstalledPackage {
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
}

/** A folder with these packages in its `node_modules`. It is removed when the test ends. */
export async function folderWith(packages: Readonly<Record<string, InstalledPackage>>): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'imgproxy-cache-')));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, { manifest, files }] of Object.entries(packages)) {
    const root = path.join(folder, 'node_modules', name);
    await mkdir(root, { recursive: true });
    const written = {
      'package.json': JSON.stringify({
        name,
        version: '1.0.0',
        type: 'module',
        exports: { '.': { types: './index.d.ts', default: './index.js' } },
        ...manifest,
      }),
      ...files,
    };
    for (const [file, text] of Object.entries(written)) await writeFile(path.join(root, file), text);
  }
  return folder;
}

/** A driver's package, in plain JavaScript and without dependencies. Its entries say which package they are of. */
export function driverPackage(name: string, { contract = 1 } = {}): InstalledPackage {
  return {
    manifest: { keywords: ['imgproxy-cache-driver'] },
    files: {
      'index.js': `
export default {
  name: ${JSON.stringify(name)},
  contract: ${contract},
  config: {
    label: { variable: 'IMGPROXY_CACHE_FOO_LABEL', type: 'string', default: 'unlabelled', doc: 'A label.' },
  },
  capabilities: { shared: false },
  create({ label }, { report }) {
    const entries = new Map();
    report({ kind: 'created', level: 'info', message: import.meta.url.split('node_modules/')[1] + ' ' + label });
    return {
      async get() {},
      async put(name, entry) { entries.set(name, entry); },
      async delete() {},
      async *list() {},
      async check() { return { ok: true, findings: [] }; },
      async close() {},
    };
  },
};
`,
    },
  };
}
