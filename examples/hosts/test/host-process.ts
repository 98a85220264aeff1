import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

// On a busy machine a test must not fail because something took long that takes long.
const PATIENCE = {
  IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '60',
  IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '60',
  IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS: '60',
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly cacheStatus: string | null;
}

/** A host as its users run it: a process of its own that is asked over HTTP. */
export class HostProcess implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  readonly #lines: string[] = [];

  private constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#process = spawn(process.execPath, args, {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { PATH: process.env['PATH'], NO_COLOR: '1', PORT: '0', ...PATIENCE, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#closed = once(this.#process, 'close');
    for (const stream of [this.#process.stdout, this.#process.stderr])
      createInterface(stream).on('line', (line) => this.#lines.push(line));
  }

  /**
   * Starts a host and waits until it listens.
   * @param file from the example's folder, such as `dist/own-container.js`
   */
  static async start(file: string, env: NodeJS.ProcessEnv): Promise<HostProcess> {
    const host = new HostProcess([file], env);
    await host.#listening();
    if (host.url === undefined) throw new Error(`${file} ended with ${host.#end}:\n${host.output}`);
    return host;
  }

  /** Runs a program until it ends by itself. */
  static async run(
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ): Promise<{ readonly end: number | NodeJS.Signals | undefined; readonly output: string }> {
    await using host = new HostProcess(args, env);
    await host.#closed;
    return { end: host.#end, output: host.output };
  }

  /** Where it listens. */
  get url(): string | undefined {
    return this.#lines.map((line) => /^listening on (\S+)$/.exec(line)?.[1]).find((url) => url !== undefined);
  }

  /** Everything that it has written so far. */
  get output(): string {
    return this.#lines.join('\n');
  }

  async get(path: string, sent: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await fetch(new URL(path, this.url), { headers: sent });
    const { status, headers } = response;
    return { status, headers, body: await response.text(), cacheStatus: headers.get('cache-status') };
  }

  /** Asks until what was drawn is stored, and gives the answer from the store. */
  getStored(path: string): Promise<Answer> {
    return vi.waitUntil(
      async () => {
        const answer = await this.get(path);
        return answer.status !== 200 || answer.cacheStatus === 'imgproxy-cache; hit' ? answer : undefined;
      },
      { timeout: 100_000, interval: 5 },
    );
  }

  /** @returns the exit code, or the name of the signal that ended the process */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | undefined> {
    if (this.#end === undefined) this.#process.kill(signal);
    await this.#closed;
    return this.#end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }

  get #end(): number | NodeJS.Signals | undefined {
    return this.#process.exitCode ?? this.#process.signalCode ?? undefined;
  }

  async #listening(): Promise<void> {
    const waiting = new AbortController();
    const announced = (async () => {
      while (this.url === undefined) await once(this.#process.stdout, 'data', { signal: waiting.signal });
    })();
    await Promise.race([announced.catch(() => undefined), this.#closed]);
    waiting.abort();
  }
}
