import { Worker } from 'node:worker_threads';
import {
  CacheError,
  type CacheOperation,
  type DriverEvent,
  OperationGuard,
  type OperationOptions,
} from '@imgproxy-cache/core/driver';
import type { DatabaseOptions, EntryDatabase } from './entry-database.js';
import type { Failure } from './sqlite-failures.js';

type Method = 'find' | 'readChunk' | 'put' | 'delete' | 'list';

/** One call of a method of {@link EntryDatabase}. */
export interface Call {
  readonly method: Method;
  readonly args: readonly unknown[];
}

/** What the thread says: each call has one answer or failure. */
export type Reply =
  | { readonly answer: unknown }
  | { readonly failure: Failure }
  | { readonly event: DriverEvent };

interface Job {
  readonly call: Call;
  readonly signal: AbortSignal;
  readonly succeed: (answer: unknown) => void;
  readonly fail: (failure: Failure) => void;
}

const ABORTED: Failure = { code: 'ERR_CACHE_ABORTED', message: 'it was aborted before its turn' };

/**
 * An {@link EntryDatabase} in a thread of its own. Calls wait here and go there one at a time, so that an aborted one
 * that has not begun is never done.
 */
export class DatabaseThread {
  readonly #options: DatabaseOptions;
  readonly #report: (event: DriverEvent) => void;
  readonly #guard = new OperationGuard('sqlite');
  readonly #waiting: Job[] = [];
  #running: Job | undefined;
  #worker: Worker | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: DatabaseOptions, report: (event: DriverEvent) => void) {
    this.#options = options;
    this.#report = report;
  }

  /** Calls a method there. Bytes among the arguments change hands: they must be nobody else's. */
  call<Name extends Method>(
    operation: CacheOperation,
    signal: OperationOptions['signal'],
    method: Name,
    ...args: Parameters<EntryDatabase[Name]>
  ): Promise<ReturnType<EntryDatabase[Name]>> {
    return this.#guard.run(operation, signal, (running) => {
      const { promise, resolve, reject } = Promise.withResolvers<ReturnType<EntryDatabase[Name]>>();
      this.#waiting.push({
        call: { method, args },
        signal: running.signal,
        succeed: (answer) => resolve(answer as ReturnType<EntryDatabase[Name]>),
        fail: ({ code, message, ...details }) => {
          const error = { driver: 'sqlite', operation, ...details };
          reject(new CacheError(code, `${operation} failed: ${message}`, error));
        },
      });
      this.#startNext();
      return promise;
    });
  }

  /** Waits for the calls that have been made; no more are accepted. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  #startNext(): void {
    if (this.#running !== undefined) return;
    let next = this.#waiting.shift();
    for (; next?.signal.aborted; next = this.#waiting.shift()) next.fail(ABORTED);
    this.#running = next;
    if (this.#running === undefined) {
      // An idle thread keeps no process alive; one that is being closed is waited for.
      if (this.#closed === undefined) this.#worker?.unref();
      return;
    }
    const { call } = this.#running;
    const bytes = call.args.filter((argument) => argument instanceof Uint8Array);
    try {
      this.#worker ??= this.#start();
      this.#worker.ref();
      this.#worker.postMessage(call, bytes.map(({ buffer }) => buffer) as ArrayBuffer[]);
    } catch (cause) {
      this.#receive({ failure: failureOfThread("the driver's thread cannot be started", cause) });
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL('./database-worker.js', import.meta.url), {
      workerData: this.#options,
      execArgv: [],
    });
    let cause: unknown;
    worker.on('message', (reply: Reply) => this.#receive(reply));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', () => {
      this.#worker = undefined;
      if (this.#running === undefined) return;
      this.#receive({
        failure: failureOfThread("the driver's thread has ended; the next call starts another", cause),
      });
    });
    return worker;
  }

  #receive(reply: Reply): void {
    if ('event' in reply) {
      this.#report(reply.event);
      return;
    }
    const job = this.#running;
    this.#running = undefined;
    if ('answer' in reply) job?.succeed(reply.answer);
    else job?.fail(reply.failure);
    this.#startNext();
  }

  async #end(): Promise<void> {
    await this.#guard.drain();
    const worker = this.#worker;
    if (worker === undefined) return;
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    worker.once('exit', () => resolve());
    worker.ref();
    worker.postMessage('close');
    await exited;
  }
}

function failureOfThread(message: string, cause: unknown): Failure {
  return { code: 'ERR_CACHE_UNAVAILABLE', message, cause };
}
