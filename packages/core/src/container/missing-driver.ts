import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nearestName } from '../config/nearest-name.js';
import { CacheError } from '../driver/index.js';

const OURS = '@imgproxy-cache';
const THIRD_PARTYS = 'imgproxy-cache-driver-';
/** The keyword of drivers' packages. Not every package of the scope `@imgproxy-cache` is a driver. */
const KEYWORD = 'imgproxy-cache-driver';
const OUR_DRIVERS = ['fs', 'memory', 's3', 'swift'];

/**
 * The error for a driver that is not installed.
 * @param available names of the installed drivers
 */
export function missingDriver(name: string, folder: string, available: readonly string[]): CacheError {
  const others = [...new Set(available)].sort();
  const near = nearestName(name, [...others, ...OUR_DRIVERS]);
  const isNear = near !== undefined && near.distance > 0 && near.distance <= (name.length > 4 ? 2 : 1);
  // No command to install a probably misspelt name: its package may not exist, or may be malicious.
  const advice = isNear
    ? `is ${near.name} meant?${others.includes(near.name) ? '' : ` It comes with "npm install ${OURS}/${near.name}".`}`
    : `run "npm install ${OURS}/${name}", or install the third party's ${THIRD_PARTYS}${name}${others.length > 0 ? '.' : ''}`;
  const list = others.length > 0 ? ` Available: ${others.join(', ')}` : '';
  return new CacheError(
    'ERR_CACHE_DRIVER_NOT_FOUND',
    `no driver named ${name} is installed in ${folder}: ${advice}${list}`,
    { operation: 'configure', driver: name },
  );
}

/** The names of the drivers whose packages are installed in a folder or in one above it. */
export function installedDrivers(folder: string): string[] {
  const parent = path.dirname(folder);
  const modules = path.join(folder, 'node_modules');
  const ours = entriesOf(path.join(modules, OURS)).filter((entry) =>
    isDriver(path.join(modules, OURS, entry)),
  );
  const thirdPartys = entriesOf(modules)
    .filter((entry) => entry.startsWith(THIRD_PARTYS))
    .map((entry) => entry.slice(THIRD_PARTYS.length));
  return [...ours, ...thirdPartys, ...(parent === folder ? [] : installedDrivers(parent))];
}

function isDriver(folder: string): boolean {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const { keywords } = (manifest ?? {}) as { readonly keywords?: unknown };
    return Array.isArray(keywords) && keywords.includes(KEYWORD);
  } catch {
    return false;
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
