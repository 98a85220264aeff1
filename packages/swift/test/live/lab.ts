import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { driverContract } from '@imgproxy-cache/driver-testkit';
import swift, { type SwiftConfig } from '@imgproxy-cache/swift';
import { describe, it, onTestFinished, vi } from 'vitest';
import { configOf } from '../open-driver.js';

// The lab's proxies are one process each with two connections to memcached. With more requests at a time they find its
// answers late, take it for dead for a minute, and refuse all tokens meanwhile. Keystone is one process, too.
const GENTLY: Partial<SwiftConfig> = { maxSockets: 4 };

/** A proxy that has taken its memcached for dead asks it again after a minute. */
const PATIENCE = { timeout: 75_000, interval: 1_000 };

/** TempAuth: authentication by version 1. */
export const TEMPAUTH: Partial<SwiftConfig> = {
  ...GENTLY,
  authUrl: 'http://127.0.0.1:17580/auth/v1.0',
  username: 'test:tester',
  apiKey: 'testing',
};

export const KEYSTONE_URL = 'http://127.0.0.1:17550';

/** Keystone: authentication by version 3, in the default domain. */
export const KEYSTONE: Partial<SwiftConfig> = {
  ...GENTLY,
  authUrl: `${KEYSTONE_URL}/v3`,
  username: 'demo',
  apiKey: 'demopass',
  tenant: 'demo',
};

/** The same in a domain of its own, and in the second region. */
export const OTHER_DOMAIN: Partial<SwiftConfig> = {
  ...KEYSTONE,
  username: 'labuser',
  apiKey: 'labpass',
  tenant: 'labproject',
  domain: 'LabDomain',
  region: 'RegionTwo',
};

/** Another client than the driver, with the token of the same user. */
export class Stranger {
  readonly #config: Partial<SwiftConfig>;
  #account: Promise<{ readonly url: string; readonly token: string }> | undefined;

  constructor(config: Partial<SwiftConfig>) {
    this.#config = config;
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    this.#account ??= vi.waitFor(() => this.#authenticate(), PATIENCE);
    const { url, token } = await this.#account;
    const headers = { ...(init.headers as Record<string, string>), 'x-auth-token': token };
    const response = await fetch(url + path, { ...init, headers });
    if (response.status >= 400) throw new Error(`${init.method ?? 'GET'} ${path}: status ${response.status}`);
    return response;
  }

  async #authenticate(): Promise<{ readonly url: string; readonly token: string }> {
    const { authUrl = '', username = '', apiKey = '', tenant = '', domain = '' } = this.#config;
    if (!authUrl.endsWith('/v3')) {
      const { headers, ok } = await fetch(authUrl, {
        headers: { 'x-auth-user': username, 'x-auth-key': apiKey },
      });
      if (!ok) throw new Error('TempAuth gives no token');
      return { url: headers.get('x-storage-url') ?? '', token: headers.get('x-auth-token') ?? '' };
    }
    const place = domain === '' ? { id: 'default' } : { name: domain };
    const user = { name: username, password: apiKey, domain: place };
    const auth = {
      identity: { methods: ['password'], password: { user } },
      scope: { project: { name: tenant, domain: place } },
    };
    const answer = await fetch(`${authUrl}/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth }),
    });
    const { token } = (await answer.json()) as {
      readonly token: {
        readonly catalog: readonly {
          readonly type: string;
          readonly endpoints: readonly { readonly interface: string; readonly url: string }[];
        }[];
      };
    };
    const endpoints = token.catalog.find(({ type }) => type === 'object-store')?.endpoints ?? [];
    const url = endpoints.find((endpoint) => endpoint.interface === 'public')?.url ?? '';
    return { url, token: answer.headers.get('x-subject-token') ?? '' };
  }
}

/** Makes the container, unless it is there. */
export async function ensureContainer(stranger: Stranger, container: string): Promise<void> {
  await stranger.fetch(`/${container}`, { method: 'PUT' });
}

/** Runs the contract suite on a container of the lab. */
export function contractOn(changes: Partial<SwiftConfig>): void {
  const config = configOf({ bucket: 'live', ...changes });
  const stranger = new Stranger(config);
  const pathOf = (name: string): string =>
    `/${config.bucket}/${name.split('/').map(encodeURIComponent).join('/')}`;
  driverContract(
    { describe, it },
    {
      definition: swift,
      module: import.meta.resolve('@imgproxy-cache/swift'),
      without: {
        outage: 'faults.live.ts stops the servers of the lab',
        stall: 'faults.live.ts stops the servers of the lab',
      },
      ruleTimeout: 120,
      async prepare() {
        await ensureContainer(stranger, config.bucket);
        return {
          config,
          async foreign(name) {
            await stranger.fetch(pathOf(name), { method: 'PUT', body: 'not an entry' });
          },
          async tamper(name, change) {
            const { headers, arrayBuffer } = await get(stranger, pathOf(name));
            const kept = [...headers].filter(
              ([header]) => header === 'content-type' || header.startsWith('x-object-meta-'),
            );
            await stranger.fetch(pathOf(name), {
              method: 'PUT',
              headers: Object.fromEntries(kept),
              body: Buffer.from(change(new Uint8Array(arrayBuffer))),
            });
          },
        };
      },
    },
  );
}

async function get(
  stranger: Stranger,
  path: string,
): Promise<{ readonly headers: Headers; readonly arrayBuffer: ArrayBuffer }> {
  const response = await stranger.fetch(path);
  return { headers: response.headers, arrayBuffer: await response.arrayBuffer() };
}

export type LabServer = 'proxy' | 'proxy-ks' | 'keystone' | 'object' | 'container' | 'memcached';

/** Stops a server of the lab, until the function is called that this gives back, or the test ends. */
export function freeze(server: LabServer): () => void {
  const state = process.env['SWIFT_LAB_RUN'] ?? join(tmpdir(), 'swift-lab');
  const root = Number(readFileSync(join(state, 'run', `${server}.pid`), 'utf8'));
  // A server may answer from processes of its own.
  const pids = [root, ...childrenOf(root)];
  const signal = (name: 'SIGSTOP' | 'SIGCONT'): void => {
    for (const pid of pids) process.kill(pid, name);
  };
  signal('SIGSTOP');
  const thaw = (): void => signal('SIGCONT');
  onTestFinished(thaw);
  return thaw;
}

function childrenOf(pid: number): number[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' });
  return [...table.matchAll(/(\d+)\s+(\d+)/g)].flatMap(([, child, parent]) =>
    Number(parent) === pid ? [Number(child)] : [],
  );
}
