import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export interface ScriptProcessOptions {
  /** Variables of the process. Default: those of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/**
 * A script in its own process, for tests with several processes. The script sends messages with `process.send`, and
 * is killed by SIGKILL when this object is disposed of.
 *
 * @example
 * await using writer = new ScriptProcess(new URL('processes/put-forever.mjs', import.meta.url), [folder]);
 * await writer.nextMessage();
 */
export class ScriptProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  /** Starts the script. It inherits standard output and standard error. */
  constructor(script: string | URL, args: readonly string[] = [], { env }: ScriptProcessOptions = {}) {
    // Flags of the test runner, such as its loaders, are not for the script.
    this.#child = fork(script, args, { execArgv: [], env });
    // A message to a script that has ended fails, for example. `nextMessage` rejects anyway.
    this.#child.on('error', () => undefined);
  }

  /** `undefined` if the script could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: string): void {
    this.#child.send(message);
  }

  /** Waits for the next message. Rejects if the script ends before. */
  async nextMessage(): Promise<unknown> {
    const ended = new AbortController();
    const onExit = (code: number | null, signal: string | null): void => {
      ended.abort(new Error(`the script ended with ${signal ?? `code ${code}`} and without a message`));
    };
    this.#child.once('exit', onExit);
    try {
      if (this.#hasEnded) onExit(this.#child.exitCode, this.#child.signalCode);
      const [message] = await once(this.#child, 'message', { signal: ended.signal });
      return message;
    } catch (error) {
      throw ended.signal.aborted ? ended.signal.reason : error;
    } finally {
      this.#child.off('exit', onExit);
    }
  }

  /** Kills the script by SIGKILL, and waits until it has ended. Idempotent. */
  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
