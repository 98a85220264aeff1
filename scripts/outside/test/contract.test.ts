import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { root } from '../../toolchain.mjs';
import { EmptyFolder } from '../empty-folder.js';

const { current: node } = inject('nodes');

const runners = {
  vitest: {
    packages: ['vitest@5.1.1'],
    command: ['node_modules/vitest/vitest.mjs', 'run', 'under-vitest'],
    summary: /^ *Tests +(\d+) passed \(\1\)$/m,
  },
  'node:test': {
    packages: [],
    command: ['--test', '--test-reporter=tap', 'under-node-test.js'],
    summary: /^# pass (\d+)$/m,
  },
  mocha: {
    packages: ['mocha@12.0.3'],
    command: ['node_modules/mocha/bin/mocha.js', '--timeout=60000', 'under-mocha.js'],
    summary: /^ *(\d+) passing/m,
  },
  jest: {
    packages: ['jest@30.5.2'],
    command: ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--testMatch=**/under-jest.js'],
    summary: /^Tests: +(\d+) passed, \1 total$/m,
  },
};

const packages = [...inject('packed'), ...inject('thirdParty')];
const drivers = packages.filter(({ path }) => existsSync(`${root}${path}/test/contract.test.ts`));

describe('the contract suite, installed', () => {
  let host: EmptyFolder;
  let rules: number;

  beforeAll(async () => {
    host = await EmptyFolder.make();
    const tools = Object.values(runners).flatMap(({ packages }) => packages);
    const own = inject('packed').map(({ name }) => name);
    const archives = inject('thirdParty').map(({ archive }) => archive);
    await host.install('npm', ...own, ...archives, ...tools);
    await host.copy('scripts/outside/contract', '.');
    // The tests of the S3 driver bring its store, which is published nowhere.
    for (const part of ['package.json', 'dist', 'certificates']) {
      await host.copy(`packages/fake-s3/${part}`, `node_modules/fake-s3/${part}`);
    }
    rules = Number(await evaluate("(await import('@imgproxy-cache/driver-testkit')).CONTRACT_RULES.length"));
  });

  afterAll(() => host[Symbol.asyncDispose]());

  it.each(Object.entries(runners))('passes under %s', async (_, { command, summary }) => {
    expect(await passedOf([node, ...command], summary)).toBe(rules);
  });

  it('passes on each driver, with the preparations of its own tests', async () => {
    for (const { name, path } of drivers) await host.copy(`${path}/test`, join('drivers', name));
    const { command, summary } = runners.vitest;
    const all = [node, ...command.slice(0, 2), '--maxWorkers=2', '--dir=drivers', 'contract'];
    const passed = await passedOf(all, summary);
    // A driver may pass the suite more than once, in different settings.
    expect(passed % rules).toBe(0);
    expect(passed / rules).toBeGreaterThanOrEqual(drivers.length);
  });

  it('has such tests in every package that is a driver', async () => {
    const found: string[] = [];
    for (const { name } of packages) {
      const contract = await evaluate(`(await import('${name}')).default?.contract ?? 'none'`);
      if (contract !== 'none') found.push(name);
    }
    expect(drivers.map(({ name }) => name)).toEqual(found);
  });

  /** How many tests of a run have passed, and none has failed. */
  async function passedOf(command: readonly string[], summary: RegExp): Promise<number> {
    const { exitCode, stdout, stderr } = await host.run(command);
    expect(exitCode, `${stdout}${stderr}`).toBe(0);
    return Number(summary.exec(`${stdout}${stderr}`)?.[1]);
  }

  async function evaluate(expression: string): Promise<string> {
    const printed = await host.succeed([
      node,
      '--input-type=module',
      '--eval',
      `console.log(String(${expression}))`,
    ]);
    return printed.trim();
  }
});
