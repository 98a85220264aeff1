import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { EmptyFolder } from '../empty-folder.js';
import { succeed } from '../process.js';
import { storeFolder } from '../store-environment.js';

const { current: node } = inject('nodes');

function archiveOf(name: string): string {
  const found = inject('thirdParty').find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no package ${name} in examples`);
  return found.archive;
}

describe('a host with core alone', () => {
  let host: EmptyFolder;

  beforeAll(async () => {
    host = await EmptyFolder.make();
    await host.install('npm', '@imgproxy-cache/core');
    await host.copy('scripts/outside/hosts', '.');
  });

  afterAll(() => host[Symbol.asyncDispose]());

  it('is told the command that installs the driver it wants, and serves after it', async () => {
    const env = await storeFolder(host);
    const { exitCode, stderr } = await host.run([node, 'host.js'], env);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('ERR_CACHE_DRIVER_NOT_FOUND');
    const [, command = ''] = /run "(npm install @imgproxy-cache\/fs)"/.exec(stderr) ?? [];
    await host.succeed(command.split(' '));
    expect(await host.succeed([node, 'host.js'], env)).toMatch(/; stored: a cat\n.*; hit: a cat\n$/);
  });

  it.each([
    ['../x', 'ERR_CACHE_CONFIG', 'IMGPROXY_CACHE_USE is "../x", allowed are names of drivers'],
    ['node:fs', 'ERR_CACHE_CONFIG', 'IMGPROXY_CACHE_USE is "node:fs", allowed are names of drivers'],
    ['s_3', 'ERR_CACHE_CONFIG', 'IMGPROXY_CACHE_USE is "s_3", allowed are names of drivers'],
    ['./host.js', 'ERR_CACHE_CONFIG', 'IMGPROXY_CACHE_USE is "./host.js", allowed are names of drivers'],
    ['core', 'ERR_CACHE_DRIVER_CONTRACT', '@imgproxy-cache/core does not export a driver named core'],
    ['nowhere', 'ERR_CACHE_DRIVER_NOT_FOUND', "the third party's imgproxy-cache-driver-nowhere"],
  ])('refuses %s clearly', async (name, code, sentence) => {
    const { exitCode, stdout, stderr } = await host.run([node, 'host.js'], { IMGPROXY_CACHE_USE: name });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(code);
    expect(stderr).toContain(sentence);
  });

  it('refuses a driver of another contract version clearly', async () => {
    await host.copy('scripts/outside/drivers/newer', 'drivers/newer');
    await host.install('npm', '--install-links', './drivers/newer');
    const { exitCode, stdout, stderr } = await host.run([node, 'host.js'], { IMGPROXY_CACHE_USE: 'newer' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('ERR_CACHE_DRIVER_CONTRACT');
    expect(stderr).toMatch(/imgproxy-cache-driver-newer speaks version 2 of the driver contract.* speaks 1/);
  });
});

it("finds a third party's driver beside the host, whatever folder it is started in", async () => {
  await using host = await EmptyFolder.make();
  await host.install('npm', '@imgproxy-cache/core', archiveOf('imgproxy-cache-driver-sqlite'));
  await host.copy('scripts/outside/hosts', '.');
  const env = {
    IMGPROXY_CACHE_USE: 'sqlite',
    IMGPROXY_CACHE_SQLITE_FILE: join(host.path, 'images.sqlite'),
    IMGPROXY_CACHE_REPORT_ERRORS: 'true',
  };
  const command = [node, join(host.path, 'host.js')];
  const first = await succeed(command, { cwd: tmpdir(), env });
  expect(first).toBe('imgproxy-cache; fwd=miss; stored: a cat\nimgproxy-cache; hit: a cat\n');
  const second = await succeed(command, { cwd: tmpdir(), env });
  expect(second).toBe('imgproxy-cache; hit: a cat\nimgproxy-cache; hit: a cat\n');
});

describe('a driver that brings a copy of core of its own', () => {
  let host: EmptyFolder;
  let driver: EmptyFolder;

  beforeAll(async () => {
    // Linked into the host, as its author tries it out: it finds the core beside it, not the host's.
    driver = await EmptyFolder.make();
    await driver.copy('scripts/outside/drivers/down', '.');
    await driver.install('npm');
    host = await EmptyFolder.make();
    await host.install('npm', '@imgproxy-cache/core');
    await host.install('npm', driver.path);
    await host.copy('scripts/outside/hosts', '.');
  });

  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await driver[Symbol.asyncDispose]();
  });

  it('is a driver to the host, and its errors are errors of the cache', async () => {
    const printed = await host.succeed([node, 'two-copies.js'], { IMGPROXY_CACHE_USE: 'down' });
    expect(JSON.parse(printed)).toEqual({
      sameClass: false,
      sameTokens: true,
      status: 'imgproxy-cache; fwd=miss; detail=ERR_CACHE_ACCESS_DENIED',
      reported: { recognised: true, code: 'ERR_CACHE_ACCESS_DENIED', driver: 'down' },
    });
  });
});
