import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

// On a busy machine, slow is no failure.
const PATIENCE = {
  IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '60',
  IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '60',
  IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS: '60',
};
// From 22.18 Node.js strips types by default.
const STRIP_TYPES = process.features.typescript ? {} : { NODE_OPTIONS: '--experimental-strip-types' };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly cacheStatus: string | null;
}

/** The command that runs an example, from any folder. */
export function commandOf(host: string): string {
  return `node ${fileURLToPath(new URL(`../${host}/server.mts`, import.meta.url))}`;
}

/** A host as its users run it: a process of its own that serves HTTP. */
export class HostProcess implements AsyncDisposable {
  readonly port: number;
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  readonly #output: Promise<{ readonly stdout: string; readonly stderr: string }>;

  private constructor(command: string, folder: string, env: NodeJS.ProcessEnv, port: number) {
    this.port = port;
    // `exec`: signals reach the host and not the shell.
    this.#process = spawn('sh', ['-c', `exec env ${command}`], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        NO_COLOR: '1',
        PORT: String(port),
        ...STRIP_TYPES,
        ...PATIENCE,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#closed = once(this.#process, 'close');
    this.#output = Promise.all([text(this.#process.stdout), text(this.#process.stderr)]).then(
      ([stdout, stderr]) => ({ stdout, stderr }),
    );
  }

  /**
   * Starts a host and waits until it answers.
   * @param command as a guide has it, such as `IMGPROXY_CACHE_USE=memory node server.mts`
   * @param folder where `cat.jpg` is
   */
  static async start(command: string, folder: string, env: NodeJS.ProcessEnv = {}): Promise<HostProcess> {
    const host = new HostProcess(command, folder, env, await freePort());
    while (!(await host.#isListening())) {
      if (host.#end !== undefined) throw new Error(`${command} ended: ${(await host.#output).stderr}`);
      await setTimeout(20);
    }
    return host;
  }

  /** Runs a host that ends by itself. */
  static async run(command: string, folder: string, env: NodeJS.ProcessEnv = {}) {
    await using host = new HostProcess(command, folder, env, await freePort());
    await host.#closed;
    return { end: host.#end, ...(await host.#output) };
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { headers });
    return {
      status: response.status,
      headers: response.headers,
      body: Buffer.from(await response.arrayBuffer()),
      cacheStatus: response.headers.get('cache-status'),
    };
  }

  /** Repeats the request until the answer comes from the store. */
  getStored(path: string): Promise<Answer> {
    return vi.waitUntil(
      async () => {
        const answer = await this.get(path);
        return answer.status !== 200 || answer.cacheStatus === 'imgproxy-cache; hit' ? answer : undefined;
      },
      { timeout: 100_000, interval: 5 },
    );
  }

  /** Stops the host, and gives its exit code or the signal that ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM') {
    if (this.#end === undefined) this.#process.kill(signal);
    await this.#closed;
    return { end: this.#end, ...(await this.#output) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }

  get #end(): number | NodeJS.Signals | undefined {
    return this.#process.exitCode ?? this.#process.signalCode ?? undefined;
  }

  async #isListening(): Promise<boolean> {
    try {
      await this.get('/');
      return true;
    } catch {
      return false;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
