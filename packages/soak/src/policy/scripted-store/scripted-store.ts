import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** - `sound`: it does what it should. - `unavailable`: it answers 503. - `refusing`: it takes no connection. */
export type StoreMood = 'sound' | 'unavailable' | 'refusing';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

/** An S3 in its own process that does what it is told. */
export class ScriptedStore {
  readonly #within: readonly string[];
  #process: ChildProcess;
  #port = 0;

  /** @param within a command that runs the store's as its last arguments, such as one that enters a namespace */
  static async start(within: readonly string[] = []): Promise<ScriptedStore> {
    const store = new ScriptedStore(within);
    await store.#listening();
    return store;
  }

  private constructor(within: readonly string[]) {
    this.#within = within;
    this.#process = this.#spawn();
  }

  get pid(): number {
    return this.#process.pid ?? Number.NaN;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Connections that are open. */
  async connections(): Promise<number> {
    const [{ connections }] = (await this.#tell({})) as [{ connections: number }];
    return connections;
  }

  async setMood(mood: StoreMood): Promise<void> {
    await this.#tell({ mood });
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

  /** Starts it again at the same address, empty. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.#listening();
  }

  #spawn(): ChildProcess {
    const [command = process.execPath, ...args] = [
      ...this.#within,
      process.execPath,
      MAIN,
      String(this.#port),
    ];
    return spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  async #listening(): Promise<void> {
    const [{ port }] = (await once(this.#process, 'message')) as [{ port: number }];
    this.#port = port;
  }

  async #tell(order: object): Promise<unknown[]> {
    const answer = once(this.#process, 'message');
    this.#process.send(order);
    return await answer;
  }
}
