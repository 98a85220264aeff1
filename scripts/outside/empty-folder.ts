import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { root } from '../toolchain.mjs';
import { type Outcome, run, succeed } from './process.js';

export type PackageManager = 'npm' | 'pnpm';

const installCommands: Readonly<Record<PackageManager, readonly string[]>> = {
  npm: ['npm', 'install', '--no-audit', '--no-fund'],
  pnpm: ['pnpm', 'add', '--allow-build=esbuild'],
};

/** A folder outside the repository that holds a package.json, and what is installed and written into it. */
export class EmptyFolder implements AsyncDisposable {
  readonly path: string;

  static async make(): Promise<EmptyFolder> {
    const folder = new EmptyFolder(await mkdtemp(join(tmpdir(), 'outside-')));
    await folder.write('package.json', '{ "private": true, "type": "module" }\n');
    // The packages of this repository as if they were published; all else as npm is configured.
    await folder.write('.npmrc', `@imgproxy-cache:registry=${inject('registryAddress')}\n`);
    return folder;
  }

  private constructor(path: string) {
    this.path = path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  async write(name: string, content: string): Promise<void> {
    await writeFile(join(this.path, name), content);
  }

  async read(name: string): Promise<string> {
    return await readFile(join(this.path, name), 'utf8');
  }

  /** @param source a file or a folder of the repository, from its root */
  async copy(source: string, name: string): Promise<void> {
    await cp(`${root}${source}`, join(this.path, name), { recursive: true });
  }

  async install(manager: PackageManager, ...packages: readonly string[]): Promise<void> {
    await this.succeed([...installCommands[manager], ...packages], {
      // pnpm remembers what a registry at an address has; another run has other packages at the same.
      pnpm_config_cache_dir: join(this.path, 'pnpm-cache'),
    });
  }

  /** Of packages of this repository, every one that is installed, at whatever depth. */
  async installedOwn(): Promise<string[]> {
    const paths = await readdir(join(this.path, 'node_modules'), { recursive: true });
    const own = paths.map((path) => /(?:^|node_modules\/)(@imgproxy-cache\/[^/]+)$/.exec(path)?.[1]);
    return [...new Set(own.filter((name) => name !== undefined))].sort();
  }

  run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return run(command, { cwd: this.path, env });
  }

  /** @returns what the command wrote on standard output */
  succeed(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    return succeed(command, { cwd: this.path, env });
  }
}
