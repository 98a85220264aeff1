import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import budgets from '../budgets.json' with { type: 'json' };
import { dependencyTree, sizeOf, type TreePackage } from '../dependency-tree.js';
import { EmptyFolder } from '../empty-folder.js';
import { emptyBucket, storeFolder } from '../store-environment.js';

interface Budget {
  readonly packedKB: number;
  readonly unpackedKB: number;
  readonly tree: { readonly dependencies: number; readonly installedKB: number };
  readonly treeWithPeers: { readonly dependencies: number; readonly installedKB: number };
}

const { current: node } = inject('nodes');
const limits: Readonly<Record<string, Budget>> = budgets.packages;
const recording = [node, '--import', './record-packages.mjs', 'host.js'];

describe('where every package of the repository is installed', () => {
  let host: EmptyFolder;

  beforeAll(async () => {
    host = await EmptyFolder.make();
    await host.install('npm', ...inject('packed').map(({ name }) => name));
    await host.copy('scripts/outside/hosts', '.');
  });

  afterAll(() => host[Symbol.asyncDispose]());

  it.each(inject('packed'))('$name keeps its budget', async ({ name, archive }) => {
    const tree = await dependencyTree(name);
    const itself = tree.filter((each) => each.name === name);
    const found: Budget = {
      packedKB: inKB((await stat(archive)).size),
      unpackedKB: (await measured(itself)).installedKB,
      tree: await measured(tree.filter(({ peer }) => !peer)),
      treeWithPeers: await measured(tree),
    };
    const limit = limits[name];
    expect(limit, `budgets.json has no limits for ${name}: it takes ${JSON.stringify(found)}`).toBeDefined();
    expect(exceeded(found, limit ?? {})).toEqual([]);
  });

  it('a host on fs loads nothing but what comes with core and fs', async () => {
    const tree = await dependencyTree('@imgproxy-cache/core', '@imgproxy-cache/fs');
    const allowed = new Set(tree.map(({ name }) => name));
    await host.succeed(recording, await storeFolder(host));
    const loaded = await loadedPackages();
    expect(loaded).toContain('@imgproxy-cache/fs');
    expect(loaded.filter((name) => !allowed.has(name))).toEqual([]);
  });

  it('a host on s3 loads it, and not fs', async () => {
    await host.succeed(recording, await emptyBucket());
    const loaded = await loadedPackages();
    expect(loaded).toContain('@imgproxy-cache/s3');
    expect(loaded).not.toContain('@imgproxy-cache/fs');
  });

  // A limit in milliseconds would be one of the machine and of what else it does. The processor time of a process that
  // does nothing is measured beside it, in turns, and of each the least: what disturbs only adds to it.
  it('core is imported in a few times what starting Node.js takes', async () => {
    const starts: number[] = [];
    const imports: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      starts.push(await processorTime(''));
      imports.push(await processorTime("await import('@imgproxy-cache/core');"));
    }
    const start = Math.min(...starts);
    const importing = Math.min(...imports) - start;
    console.info(
      `Processor time: Node.js starts in ${start.toFixed()} ms, core takes ${importing.toFixed()} ms`,
    );
    expect(importing / start).toBeLessThan(budgets.importOfCoreInStarts);
  });

  /** @param tree with the package itself, which is none of its dependencies */
  async function measured(tree: readonly TreePackage[]): Promise<Budget['tree']> {
    const sizes = await Promise.all(tree.map(({ path }) => sizeOf(join(host.path, path))));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    return { dependencies: tree.length - 1, installedKB: inKB(bytes) };
  }

  async function loadedPackages(): Promise<string[]> {
    return JSON.parse(await host.read('loaded-packages.json'));
  }

  /** Milliseconds that a process takes which runs the code. */
  async function processorTime(code: string): Promise<number> {
    const report = 'const { user, system } = process.cpuUsage(); console.log((user + system) / 1000);';
    return Number(await host.succeed([node, '--input-type=module', '--eval', `${code}${report}`]));
  }
});

it('every budget is one of a package', () => {
  const names = inject('packed').map(({ name }) => name);
  expect(Object.keys(limits).filter((name) => !names.includes(name))).toEqual([]);
});

/** Every limit that was passed, as a sentence. */
function exceeded(found: object, limit: object, path = ''): string[] {
  const limitOf = new Map<string, unknown>(Object.entries(limit));
  return Object.entries(found).flatMap(([key, value]) => {
    const allowed = limitOf.get(key);
    if (typeof value === 'object') return exceeded(value, Object(allowed), `${path}${key}.`);
    const kept = typeof allowed === 'number' && value <= allowed;
    return kept ? [] : [`${path}${key} is ${value}, its limit ${allowed}`];
  });
}

function inKB(bytes: number): number {
  return Math.ceil(bytes / 1000);
}
