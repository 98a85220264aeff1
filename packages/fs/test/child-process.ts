import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ScriptProcess } from '@imgproxy-cache/driver-testkit';
import { onTestFinished } from 'vitest';

export function scriptPath(script: string): string {
  return fileURLToPath(new URL(`processes/${script}`, import.meta.url));
}

/** Starts a script that sends messages; it is killed with the test at the latest. */
export function startScript(script: string, ...args: readonly string[]): ScriptProcess {
  const started = new ScriptProcess(scriptPath(script), args);
  onTestFinished(() => started.kill());
  return started;
}

/** Runs a program to its end. Rejects when it fails. */
export const run = promisify(execFile);
