import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { root } from '../toolchain.mjs';

/**
 * @typedef {object} Manifest what the checks read of a package.json
 * @property {string} name
 * @property {string} version
 * @property {boolean} [private]
 * @property {string} [description]
 * @property {string} [license]
 * @property {string} [type]
 * @property {Record<string, string>} [engines]
 * @property {boolean | string[]} [sideEffects]
 * @property {Record<string, string | Record<string, string>>} [exports]
 * @property {Record<string, string>} [publishConfig]
 * @property {Record<string, string>} [scripts]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [peerDependencies]
 * @property {Record<string, string>} [optionalDependencies]
 *
 * @typedef {object} WorkspacePackage
 * @property {string} path from the checkout's root
 * @property {Manifest} manifest
 */

/** @returns {WorkspacePackage[]} every package and example of the workspace */
export function workspacePackages() {
  return ['packages', 'examples']
    .filter((folder) => existsSync(`${root}${folder}`))
    .flatMap((folder) => readdirSync(`${root}${folder}`).map((name) => `${folder}/${name}`))
    .filter((path) => existsSync(`${root}${path}/package.json`))
    .map((path) => ({ path, manifest: JSON.parse(readFileSync(`${root}${path}/package.json`, 'utf8')) }));
}

/** @returns {WorkspacePackage[]} those that are published */
export function publicPackages() {
  return workspacePackages().filter(({ manifest }) => !manifest.private);
}
