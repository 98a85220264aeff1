import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/**
 * A script in a process of its own, for tests of what processes do to each other. The script sends messages by
 * `process.send`, and is killed, without a warning, when it is disposed of.
 *
 * @example
 * await using writer = new ScriptProcess(new URL('processes/put-forever.mjs', import.meta.url), [folder]);
 * await writer.nextMessage();
 */
export class ScriptProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  /** Starts the script. Its output goes where this process writes. */
  constructor(script: string | URL, args: readonly string[] = []) {
    // Flags of a test runner's own, such as its loaders, are not for the script.
    this.#child = fork(script, args, { execArgv: [] });
    // Such as a message to a script that has ended: whoever waits for an answer is told of the end.
    this.#child.on('error', () => undefined);
  }

  /** `undefined` where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: string): void {
    this.#child.send(message);
  }

  /** The next message that comes from now on. Rejects where the script ends before. */
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

  /** Kills the script, and waits until it is gone. */
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
