import { createHash, randomBytes } from 'node:crypto';
import { readlink, readText } from './fs-calls.js';

/*
 * A temporary file is named <place>-<pid>-<start>-<random>-<number>, which tells other processes whether its writer
 * is alive. The place identifies a boot of a machine and its PID namespace; the start time tells reused PIDs apart.
 */

const TEMPORARY_NAME = /^([0-9a-f]{16})-([1-9][0-9]{0,9})-([0-9]{1,20})-[0-9a-f]{8}-[0-9]{1,16}$/;

export interface Writer {
  /** Boot and PID namespace: 16 hexadecimal digits. */
  readonly place: string;
  readonly pid: number;
  /** Start of the process, in clock ticks since the boot. */
  readonly start: string;
}

let ownWriter: Promise<Writer> | undefined;

/** This process as a writer. */
function identifyWriter(): Promise<Writer> {
  ownWriter ??= describeProcess();
  return ownWriter;
}

async function describeProcess(): Promise<Writer> {
  const { pid } = process;
  try {
    const boot = await readText('/proc/sys/kernel/random/boot_id');
    const namespace = await readlink('/proc/self/ns/pid');
    const place = createHash('sha256').update(boot).update(namespace).digest('hex').slice(0, 16);
    return { place, pid, start: await startOf('self') };
  } catch {
    // Without /proc no other process can check this one: a random place makes its state unknown.
    return { place: randomBytes(8).toString('hex'), pid, start: '0' };
  }
}

async function startOf(pid: number | 'self'): Promise<string> {
  const stat = await readText(`/proc/${pid}/stat`);
  // Field 22 of proc_pid_stat(5). Field 2 is the command in brackets and may contain anything.
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  if (start === undefined) throw new Error('/proc/<pid>/stat has no start time');
  return start;
}

/** Makes names that are unique among all processes. */
export class TemporaryNames {
  readonly #random = randomBytes(4).toString('hex');
  #count = 0;

  async next(): Promise<string> {
    const { place, pid, start } = await identifyWriter();
    this.#count += 1;
    return `${place}-${pid}-${start}-${this.#random}-${this.#count}`;
  }
}

/** The writer of a temporary file; `undefined` for any other name. */
export function parseTemporaryName(name: string): Writer | undefined {
  const [, place, pid, start] = TEMPORARY_NAME.exec(name) ?? [];
  if (place === undefined || pid === undefined || start === undefined) return undefined;
  return { place, pid: Number(pid), start };
}

/** Whether a writer is alive; `unknown` for one on another machine, in another container, or before a reboot. */
export async function processState(writer: Writer): Promise<'alive' | 'dead' | 'unknown'> {
  const self = await identifyWriter();
  if (writer.place !== self.place) return 'unknown';
  try {
    process.kill(writer.pid, 0);
  } catch (error) {
    // EPERM: it exists and is another user's.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  try {
    return (await startOf(writer.pid)) === writer.start ? 'alive' : 'dead';
  } catch {
    return 'alive';
  }
}
