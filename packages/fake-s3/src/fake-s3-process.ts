import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FakeS3 } from './fake-s3.js';
import type { FaultRule } from './faults.js';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

export interface FakeS3ProcessOptions {
  /** Whether it speaks TLS, with the certificate of this package. */
  readonly tls?: boolean;
  /** URL of a module that exports a {@link ServerScript} as `script`. */
  readonly module?: URL;
  /** What that is given; something that JSON can hold. */
  readonly argument?: unknown;
  /** A command that runs the server's as its last arguments, such as one that enters a namespace. */
  readonly within?: readonly string[];
  /** Whether it refuses connections at first. */
  readonly refusing?: boolean;
}

/** Scripts a server in its own process. @returns what it can be asked there, by name */
export type ServerScript = (server: FakeS3, argument: unknown) => ServerOrders | undefined;

export type ServerOrders = Readonly<Record<string, (asked: unknown) => unknown>>;

/** What the process of a server is started with. */
export interface ServerStart {
  readonly port: number;
  readonly tls: boolean;
  readonly module: string | undefined;
  readonly argument: unknown;
  readonly refusing: boolean;
}

/** A message to the process of a server, which answers each. */
export interface ServerMessage {
  readonly id: number;
  readonly order: string;
  readonly asked?: unknown;
}

/** A fake S3 in its own process, which takes any signature and keeps no request. */
export class FakeS3Process implements AsyncDisposable {
  readonly #options: FakeS3ProcessOptions;
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  #process: ChildProcess;
  #port = 0;
  #orders = 0;

  static async start(options: FakeS3ProcessOptions = {}): Promise<FakeS3Process> {
    const server = new FakeS3Process(options);
    await server.#listening(options.refusing ?? false);
    return server;
  }

  private constructor(options: FakeS3ProcessOptions) {
    this.#options = options;
    this.#process = this.#spawn();
  }

  get pid(): number {
    return this.#process.pid ?? Number.NaN;
  }

  get port(): number {
    return this.#port;
  }

  get endpoint(): string {
    return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${this.#port}`;
  }

  /** Connections that are open. */
  async connections(): Promise<number> {
    return (await this.ask('connections')) as number;
  }

  /** Requests whose heads have arrived. */
  async received(): Promise<number> {
    return (await this.ask('received')) as number;
  }

  /** What goes wrong from now on. */
  async setFaults(faults: readonly FaultRule[]): Promise<void> {
    await this.ask('faults', faults);
  }

  /** Refuses connections and ends those that are open. */
  async refuse(): Promise<void> {
    await this.ask('refuse');
  }

  /** Takes connections again. */
  async accept(): Promise<void> {
    await this.ask('accept');
  }

  /** Has something done, by the server or by the module that scripts it, and waits for the answer. */
  ask(order: string, asked?: unknown): Promise<unknown> {
    this.#orders += 1;
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(this.#orders, answer);
    this.#process.send({ id: this.#orders, order, asked } satisfies ServerMessage);
    return answer.promise;
  }

  /** Stands still with its connections open, and goes on with `SIGCONT`. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal);
  }

  /** Ends it by SIGKILL, with everything that it stores. Idempotent. */
  async kill(): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }

  /** Starts it again at the same port, empty. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.#listening(false);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  #spawn(): ChildProcess {
    const { within = [] } = this.#options;
    const [command = process.execPath, ...args] = [...within, process.execPath, MAIN];
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.on('message', ({ id, answer, failure }: { id: number; answer?: unknown; failure?: string }) => {
      const waiting = this.#answers.get(id);
      this.#answers.delete(id);
      if (failure === undefined) waiting?.resolve(answer);
      else waiting?.reject(new Error(`the fake S3 failed: ${failure}`));
    });
    child.once('exit', () => {
      for (const { reject } of this.#answers.values()) reject(new Error('the fake S3 has ended'));
      this.#answers.clear();
    });
    return child;
  }

  async #listening(refusing: boolean): Promise<void> {
    const { tls = false, module, argument } = this.#options;
    const start: ServerStart = { port: this.#port, tls, module: module?.href, argument, refusing };
    this.#port = (await this.ask('start', start)) as number;
  }
}
