import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { succeed } from './process.js';

export interface PackedManifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface PackedPackage {
  readonly manifest: PackedManifest;
  readonly archive: Buffer;
  readonly fileName: string;
}

// Package managers may wait for a new version to ripen before they install it.
const published = new Date(Date.now() - 365 * 24 * 3600 * 1000).toISOString();

/** A registry on loopback that has the packages it was given and nothing else. */
export class PackageRegistry {
  readonly #packages: ReadonlyMap<string, PackedPackage>;
  readonly #server: Server;

  /** @param archives files that `npm pack` has made */
  static async start(archives: readonly string[]): Promise<PackageRegistry> {
    const registry = new PackageRegistry(await Promise.all(archives.map(readPackage)));
    await once(registry.#server.listen(0, '127.0.0.1'), 'listening');
    return registry;
  }

  private constructor(packages: readonly PackedPackage[]) {
    this.#packages = new Map(packages.map((each) => [each.manifest.name, each]));
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** Its address, as npm's configuration wants it. */
  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(url.slice(1));
    const described = this.#packages.get(path);
    const archived = [...this.#packages.values()].find(({ fileName }) => fileName === path);
    // Another run has other packages of the same names and versions.
    response.setHeader('cache-control', 'no-store');
    if (described !== undefined) response.end(JSON.stringify(this.#describe(described)));
    else if (archived !== undefined) response.end(archived.archive);
    else response.writeHead(404).end(`There is no ${path} here.`);
  }

  #describe({ manifest, archive, fileName }: PackedPackage): unknown {
    const { name, version } = manifest;
    const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
    const dist = { tarball: `${this.address}${fileName}`, integrity };
    return {
      name,
      'dist-tags': { latest: version },
      versions: { [version]: { ...manifest, dist } },
      time: { created: published, modified: published, [version]: published },
    };
  }
}

/** @returns the package.json inside of an archive */
export async function manifestIn(archive: string): Promise<PackedManifest> {
  return JSON.parse(await succeed(['tar', '-xzOf', archive, 'package/package.json'], { cwd: '/' }));
}

async function readPackage(path: string): Promise<PackedPackage> {
  return { manifest: await manifestIn(path), archive: await readFile(path), fileName: basename(path) };
}
