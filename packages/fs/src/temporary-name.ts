import { createHash, randomBytes } from 'node:crypto';
import { readlink, readText } from './fs-calls.js';

/*
 * A file that is being written is called <place>-<pid>-<start>-<random>-<number>, so that whoever finds it can
 * tell whether its writer still lives. The place is a boot of a machine and its namespace of process numbers,
 * the start is the moment at which the process began, since process numbers are given out again.
 */

const TEMPORARY_NAME = /^([0-9a-f]{16})-([1-9][0-9]{0,9})-([0-9]{1,20})-[0-9a-f]{8}-[0-9]{1,16}$/;

export interface Writer {
  /** Where process numbers mean what they mean here: 16 hexadecimal digits. */
  readonly place: string;
  readonly pid: number;
  /** When the process began, in clock ticks since the boot. */
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
    // Without /proc nobody can tell from outside whether this process lives: a place of its own says so.
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

/** Makes temporary names that nobody else makes. */
export class TemporaryNames {
  readonly #random = randomBytes(4).toString('hex');
  #count = 0;

  async next(): Promise<string> {
    const { place, pid, start } = await identifyWriter();
    this.#count += 1;
    return `${place}-${pid}-${start}-${this.#random}-${this.#count}`;
  }
}

/** Whose temporary file it is; `undefined` for a name that is none. */
export function parseTemporaryName(name: string): Writer | undefined {
  const [, place, pid, start] = TEMPORARY_NAME.exec(name) ?? [];
  if (place === undefined || pid === undefined || start === undefined) return undefined;
  return { place, pid: Number(pid), start };
}

/** Whether a writer lives; `unknown` where it was on another machine, in another container, or before a reboot. */
export async function vitalityOf(writer: Writer): Promise<'alive' | 'dead' | 'unknown'> {
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
