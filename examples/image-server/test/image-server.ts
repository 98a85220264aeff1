import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

// On a busy machine a test must not fail because something took long that takes long.
const PATIENCE = {
  IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '60',
  IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS: '60',
};
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly cacheStatus: string | undefined;
}

/** Values of a header that is sent on several lines, or on one. */
export type RequestHeaders = Readonly<Record<string, string | string[]>>;

/** The example as its users run it: a process of its own that is asked over HTTP. */
export class ImageServer implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #output: string[] = [];
  readonly #errorLines: string[] = [];
  readonly #closed: Promise<unknown>;

  private constructor(process: ChildProcessByStdio<null, Readable, Readable>) {
    this.#process = process;
    this.#closed = once(process, 'close');
    createInterface(process.stdout).on('line', (line) => this.#output.push(line));
    createInterface(process.stderr).on('line', (line) => this.#errorLines.push(line));
  }

  /**
   * @param env what is set besides the path of the executables; the server listens on a free port
   * @param wrapper a command that is given `node main.js` as further arguments and becomes it
   */
  static async start(env: NodeJS.ProcessEnv, wrapper: readonly string[] = []): Promise<ImageServer> {
    const server = ImageServer.#spawn(env, wrapper);
    await server.#started();
    if (server.#exit === undefined) return server;
    throw new Error(`the server ended at its start with ${server.#exit}:\n${server.errorOutput}`);
  }

  /** For a start that must fail. */
  static async failToStart(
    env: NodeJS.ProcessEnv,
  ): Promise<{ readonly code: number | NodeJS.Signals; readonly errorOutput: string }> {
    await using server = ImageServer.#spawn(env, []);
    await server.#started();
    if (server.#exit === undefined) throw new Error(`the server started: ${server.output.join('\n')}`);
    return { code: server.#exit, errorOutput: server.errorOutput };
  }

  static #spawn(env: NodeJS.ProcessEnv, wrapper: readonly string[]): ImageServer {
    const [command = '', ...args] = [...wrapper, process.execPath, MAIN];
    return new ImageServer(
      spawn(command, args, {
        env: { PATH: process.env['PATH'], IMGPROXY_BIND: '127.0.0.1:0', ...PATIENCE, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  get url(): string {
    return /^image server: (.*)$/.exec(this.#output[0] ?? '')?.[1] ?? '';
  }

  /** Lines on standard output so far. */
  get output(): readonly string[] {
    return this.#output;
  }

  /** Everything on standard error so far. */
  get errorOutput(): string {
    return this.#errorLines.join('\n');
  }

  /** What was logged as JSON so far. */
  get log(): readonly Readonly<Record<string, unknown>>[] {
    return this.#errorLines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  }

  /** The path is sent as it is: nothing is normalised. */
  async get(path: string, headers: RequestHeaders = {}): Promise<Answer> {
    const outgoing = request(this.url, { path, headers, agent: false });
    outgoing.end();
    const [incoming] = await once(outgoing, 'response');
    const body = Buffer.concat(await incoming.toArray());
    const cacheStatus: string | undefined = incoming.headers['cache-status'];
    return { status: incoming.statusCode, headers: incoming.headers, body, cacheStatus };
  }

  /** Asks until what was rendered is stored, and gives the answer from the store. */
  async getStored(path: string, headers: RequestHeaders = {}): Promise<Answer> {
    for (let attempt = 0; attempt < 5000; attempt++) {
      const answer = await this.get(path, headers);
      if (answer.status !== 200 || answer.cacheStatus === 'imgproxy-cache; hit') return answer;
    }
    throw new Error(`${path} is still not stored: ${this.errorOutput}`);
  }

  /** @returns the exit code, or the name of the signal that ended the process */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | undefined> {
    if (this.#exit === undefined) this.#process.kill(signal);
    await this.#closed;
    return this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #exit(): number | NodeJS.Signals | undefined {
    return this.#process.exitCode ?? this.#process.signalCode ?? undefined;
  }

  /** Waits until the server has said all that it says at its start, or has ended. */
  async #started(): Promise<void> {
    const abort = new AbortController();
    const saidAll = (async () => {
      while (!this.#output.some((line) => line.startsWith('cache: ')))
        await once(this.#process.stdout, 'data', { signal: abort.signal });
    })();
    await Promise.race([saidAll.catch(() => undefined), this.#closed]);
    abort.abort();
  }
}
