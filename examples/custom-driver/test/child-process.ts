import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

export function scriptPath(script: string): string {
  return fileURLToPath(new URL(`processes/${script}`, import.meta.url));
}

/** Starts a script that sends messages; it is killed with the test at the latest. */
export function startScript(script: string, ...args: readonly string[]): ChildProcess {
  const child = fork(scriptPath(script), args, { execArgv: [] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** The next message of a script. Rejects when it ends before. */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const onExit = (): void => ended.abort(new Error('the process ended without a message'));
  child.once('exit', onExit);
  try {
    const [message] = await once(child, 'message', { signal: ended.signal });
    return message;
  } finally {
    child.off('exit', onExit);
  }
}

export async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Runs a program to its end. Rejects when it fails. */
export const run = promisify(execFile);
