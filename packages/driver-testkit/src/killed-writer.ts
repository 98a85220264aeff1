import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ProcessDoor } from './rule-bench.js';
import { SeededRandom } from './seeded-random.js';
import { SubjectFault } from './subject-fault.js';

/** What the process puts until it is killed. */
export interface WriterOrder extends ProcessDoor {
  readonly name: string;
  readonly size: number;
}

// Long enough to interrupt a put that takes some milliseconds.
const LONGEST_LIFE_MS = 40;

const WRITER = fileURLToPath(new URL('./writer-process.js', import.meta.url));

/** Starts a process that puts one name repeatedly, and kills it during a put. */
export async function killWhilePutting(order: WriterOrder, seed: number): Promise<void> {
  const writer = fork(WRITER, [JSON.stringify(order)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const complaint: Buffer[] = [];
  writer.stderr?.on('data', (chunk: Buffer) => complaint.push(chunk));
  let stage: unknown;
  writer.on('message', (message) => {
    stage = message;
  });
  const gone = once(writer, 'exit');
  while (stage !== 'putting' && writer.exitCode === null && writer.signalCode === null) {
    await Promise.race([once(writer, 'message'), gone]);
  }
  if (stage === 'putting') await delay(new SeededRandom(seed).next() * LONGEST_LIFE_MS);
  writer.kill('SIGKILL');
  const [, signal] = await gone;
  if (signal === 'SIGKILL') return;
  const words = Buffer.concat(complaint).toString().trim();
  if (stage === undefined)
    throw new SubjectFault('module', `cannot be imported by another process: ${words}`);
  throw new Error(`the process that was to be killed while it puts ended by itself: ${words}`);
}
