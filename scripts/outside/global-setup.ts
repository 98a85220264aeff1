import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { packPackage } from '../checks/pack-package.mjs';
import { publicPackages, type WorkspacePackage, workspacePackages } from '../checks/workspace.mjs';
import { fetchNodes } from './node-releases.js';
import { PackageRegistry } from './package-registry.js';
import type { Packed } from './provided.js';

const thirdPartyDriver = /^imgproxy-cache-driver-/;

/** Packs every public package and serves the archives, until all tests are over. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'packed-'));
  const pack = async ({ path, manifest }: WorkspacePackage): Promise<Packed> => {
    return { name: manifest.name, path, archive: await packPackage(path, folder) };
  };
  const packed = await Promise.all(publicPackages().map(pack));
  const thirdParty = workspacePackages().filter(({ manifest }) => thirdPartyDriver.test(manifest.name));
  const registry = await PackageRegistry.start(packed.map(({ archive }) => archive));
  provide('packed', packed);
  provide('thirdParty', await Promise.all(thirdParty.map(pack)));
  provide('registryAddress', registry.address);
  provide('nodes', await fetchNodes());
  return async () => {
    await registry.stop();
    await rm(folder, { recursive: true });
  };
}
