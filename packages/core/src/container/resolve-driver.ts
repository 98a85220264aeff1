import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CONTRACT_VERSION } from '../driver/contract.js';
import { type CacheDriverDefinition, CacheError } from '../driver/index.js';
import { installedDrivers, missingDriver } from './missing-driver.js';

const DRIVER_NAME = /^[a-z][a-z0-9-]*$/;

/** The drivers that a value of `IMGPROXY_CACHE_USE` names, or a description of what is wrong with it. */
export function driverNames(use: string): { readonly names: readonly string[]; readonly fault?: string } {
  if (use === '') return { names: [] };
  const lowerCased = use.toLowerCase();
  const names = lowerCased.includes(',') ? lowerCased.split(',').map((name) => name.trim()) : [lowerCased];
  const wrong = names.find((name) => !DRIVER_NAME.test(name));
  if (wrong !== undefined) {
    const given = JSON.stringify(use);
    const fault = `is ${given}, allowed are names of drivers, separated by commas: a letter, then letters, digits and dashes`;
    return { names: [], fault };
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    return { names: [], fault: `is ${JSON.stringify(use)}, which names ${twice} twice` };
  return { names };
}

/**
 * Finds a driver by name: among those passed in, then in the package `@imgproxy-cache/<name>`, then in
 * `imgproxy-cache-driver-<name>`.
 *
 * @param name as in `IMGPROXY_CACHE_USE`, in lower case
 * @param resolveFrom where packages are resolved from: a `file:` URL or a folder; default: the main module's folder
 * @throws CacheError `ERR_CACHE_DRIVER_NOT_FOUND`, with the driver that is probably meant or the command that installs
 *   this one; `ERR_CACHE_DRIVER_CONTRACT` if the package exports no driver, or one of another contract version
 */
export async function resolveDriver(
  name: string,
  drivers: readonly CacheDriverDefinition[],
  resolveFrom: string | URL | undefined,
): Promise<CacheDriverDefinition> {
  const passed = drivers.find((driver) => driver.name === name);
  if (passed !== undefined) return verified(passed, name, 'the driver that was passed in');
  const folder = folderOf(resolveFrom);
  const resolve = createRequire(path.join(folder, 'resolve-driver.js')).resolve;
  const packages = [`@imgproxy-cache/${name}`, `imgproxy-cache-driver-${name}`];
  for (const packageName of packages) {
    const file = locate(resolve, packageName);
    if (file === undefined) continue;
    return verified(await load(file, packageName), name, `the package ${packageName}`);
  }
  throw missingDriver(name, folder, [...drivers.map((driver) => driver.name), ...installedDrivers(folder)]);
}

function folderOf(resolveFrom: string | URL | undefined): string {
  if (resolveFrom === undefined) return path.dirname(path.resolve(process.argv[1] ?? 'main.js'));
  if (resolveFrom instanceof URL || resolveFrom.startsWith('file:'))
    return fileURLToPath(new URL('.', resolveFrom));
  return path.resolve(resolveFrom);
}

function locate(resolve: NodeJS.RequireResolve, packageName: string): string | undefined {
  try {
    return resolve(packageName);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw contractError(
      `the package ${packageName} is installed and cannot be resolved: its "exports" need a "default" condition`,
      error,
    );
  }
}

async function load(file: string, packageName: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
    return module.default;
  } catch (error) {
    throw contractError(
      `the package ${packageName} is installed and failed while it was loaded: ${String(error)}`,
      error,
    );
  }
}

function verified(candidate: unknown, name: string, origin: string): CacheDriverDefinition {
  const definition = candidate as Partial<CacheDriverDefinition> | null | undefined;
  if (
    definition?.name !== name ||
    typeof definition.create !== 'function' ||
    !isRecord(definition.config) ||
    !isRecord(definition.capabilities)
  ) {
    throw contractError(`${origin} does not export a driver named ${name} by default: see defineCacheDriver`);
  }
  if (definition.contract !== CONTRACT_VERSION) {
    throw contractError(
      `${origin} speaks version ${definition.contract} of the driver contract and this version of @imgproxy-cache/core speaks ${CONTRACT_VERSION}: install versions of both that belong together`,
    );
  }
  return definition as CacheDriverDefinition;
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function contractError(message: string, cause?: unknown): CacheError {
  return new CacheError('ERR_CACHE_DRIVER_CONTRACT', message, { operation: 'configure', cause });
}
