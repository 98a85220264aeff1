import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../caches.js';
import { MISTAKE_VARIABLE } from './host-mistake.js';
import type { HostNews, HostOrderName, HostOrders } from './host-orders.js';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

export interface HostOptions {
  readonly env: Environment;
  /** URL of the module of a mistake that it shall make. */
  readonly mistake?: string | undefined;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** A host in its own process. */
export class HostProcess {
  /** Once it runs no more. */
  readonly ended: Promise<undefined>;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onTrouble: (kind: 'wrong' | 'unanswered', story: string) => void;
  #orders = 0;

  /** @param onTrouble is told what goes wrong in its traffic */
  static async start(
    { env, mistake }: HostOptions,
    onTrouble: (kind: 'wrong' | 'unanswered', story: string) => void = () => undefined,
  ): Promise<HostProcess> {
    // A mistake's module is TypeScript, and the oldest Node.js that packages take asks for the flag.
    const flags =
      mistake === undefined ? [] : ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'];
    const child = spawn(process.execPath, [...flags, MAIN], {
      env: {
        PATH: process.env['PATH'],
        ...env,
        ...(mistake !== undefined && { [MISTAKE_VARIABLE]: mistake }),
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const host = new HostProcess(child, onTrouble);
    await host.#ready();
    return host;
  }

  private constructor(child: ChildProcess, onTrouble: (kind: 'wrong' | 'unanswered', story: string) => void) {
    this.#process = child;
    this.#onTrouble = onTrouble;
    this.ended = once(child, 'exit').then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the host has ended'));
      return undefined;
    });
  }

  /** Has something done, and waits for it. */
  ask<Name extends HostOrderName>(
    name: Name,
    asked: HostOrders[Name]['asked'],
  ): Promise<HostOrders[Name]['answer']> {
    if (!this.#process.connected) return Promise.reject(new Error('the host has ended'));
    this.#orders += 1;
    const id = this.#orders;
    const { promise, resolve, reject } = Promise.withResolvers<HostOrders[Name]['answer']>();
    this.#waiting.set(id, { resolve: (answer) => resolve(answer as HostOrders[Name]['answer']), reject });
    this.#process.send({ id, name, asked });
    return promise;
  }

  /** Lets it stand still, and go on with `SIGCONT`. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal);
  }

  /** Ends it by SIGKILL: nothing of it runs any more. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  async #ready(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#process.on('message', (message: HostNews | { id: number; answer?: unknown; failure?: string }) => {
      if ('id' in message) this.#settle(message);
      else if (message.news === 'ready') resolve();
      else this.#onTrouble(message.kind, message.story);
    });
    const ended = this.ended.then(() => {
      throw new Error('a host has ended before it was ready: what it said is on standard error');
    });
    await Promise.race([promise, ended]);
    ended.catch(() => undefined);
  }

  #settle({ id, answer, failure }: { id: number; answer?: unknown; failure?: string }): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failure === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(`the host failed: ${failure}`));
  }
}
