import { constants } from 'node:fs';
import { isAbsence, unlessAbsent } from './absence.js';
import type { CacheLayout } from './cache-layout.js';
import { close, lstat, open, readdir, rename, unlink } from './fs-calls.js';
import { parseTemporaryName, TemporaryNames, vitalityOf } from './temporary-name.js';

/*
 * By how many bytes a process has made the cache grow is the name of an empty file, tally.<process>.<number>.<bytes>:
 * a rename changes it as a whole, one look at the folder reads those of all processes, and what was removed or
 * renamed by its name is what was read.
 */

const TALLY = /^tally\.([0-9a-f-]+)\.([0-9]{1,16})\.(-?[0-9]{1,16})$/;
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/** How long a tally stays as it is before somebody else may remove it, in milliseconds. */
const IDLE_AFTER = 60 * 60 * 1000;

interface Tally {
  readonly file: string;
  readonly process: string;
  readonly number: number;
  readonly bytes: number;
}

/** Bytes of growth by process. */
export type GrowthByProcess = ReadonlyMap<string, number>;

/** What each process that uses the folder has stored and removed since it began. */
export class UsageTallies {
  readonly #layout: CacheLayout;
  readonly #mode: number;
  readonly #names = new TemporaryNames();
  #own: Tally | undefined;
  #pending = 0;
  #publishing: Promise<void> = Promise.resolve();
  #known: ReadonlySet<string> = new Set();

  constructor(layout: CacheLayout, mode: number) {
    this.#layout = layout;
    this.#mode = mode;
  }

  /** Counts what this process has stored, or removed: negative. */
  add(bytes: number): void {
    this.#pending += bytes;
  }

  /** Lets the others see what was counted. @throws the operating system's errors. */
  publish(): Promise<void> {
    this.#publishing = this.#publishing.catch(() => {}).then(() => this.#publishPending());
    return this.#publishing;
  }

  /** The latest of all processes, as far as they have published it. */
  async read(): Promise<GrowthByProcess> {
    const tallies = await this.#list();
    return new Map([...tallies.values()].map(({ process, bytes }) => [process, bytes]));
  }

  /** Removes tallies whose bytes stand in `settled`, of processes that have died or said nothing new for long. */
  async removeSettled(settled: GrowthByProcess, now: number): Promise<void> {
    for (const { file, process, bytes } of (await this.#list()).values()) {
      if (settled.get(process) === bytes && (await this.#isOver(process, file, now))) {
        // Its process, if it lives after all, has renamed it: then there is nothing of this name.
        await unlessAbsent(unlink(this.#path(file)));
      }
    }
  }

  async #publishPending(): Promise<void> {
    const bytes = this.#pending;
    if (bytes === 0) return;
    const before = this.#own;
    if (before !== undefined) {
      const next = tallyOf(before.process, before.number + 1, before.bytes + bytes);
      if (await this.#rename(before, next)) return this.#published(next, bytes);
      // Somebody has settled it while this process had nothing to say.
    }
    const first = tallyOf(await this.#names.next(), 1, bytes);
    await close(await open(this.#path(first.file), CREATE_FLAGS, this.#mode));
    this.#published(first, bytes);
  }

  /** False where it is gone. */
  async #rename(before: Tally, next: Tally): Promise<boolean> {
    try {
      await rename(this.#path(before.file), this.#path(next.file));
      return true;
    } catch (error) {
      if (isAbsence(error)) return false;
      throw error;
    }
  }

  #published(own: Tally, bytes: number): void {
    this.#own = own;
    this.#pending -= bytes;
  }

  /** The newest of each process: a file that is renamed meanwhile may be listed under both of its names, or none. */
  async #list(): Promise<ReadonlyMap<string, Tally>> {
    let tallies = await this.#listOnce();
    const incomplete = [...this.#known].some((process) => !tallies.has(process));
    if (incomplete) tallies = new Map([...tallies, ...(await this.#listOnce())]);
    this.#known = new Set(tallies.keys());
    return tallies;
  }

  async #listOnce(): Promise<Map<string, Tally>> {
    const tallies = new Map<string, Tally>();
    for (const { name: file } of await readdir(this.#layout.path(this.#layout.temporaryFolder))) {
      const [, process, number, bytes] = TALLY.exec(file) ?? [];
      if (process === undefined || number === undefined || bytes === undefined) continue;
      const tally = { file, process, number: Number(number), bytes: Number(bytes) };
      if (tally.number > (tallies.get(process)?.number ?? 0)) tallies.set(process, tally);
    }
    return tallies;
  }

  async #isOver(process: string, file: string, now: number): Promise<boolean> {
    const writer = parseTemporaryName(process);
    if (writer !== undefined && (await vitalityOf(writer)) === 'dead') return true;
    const stats = await unlessAbsent(lstat(this.#path(file)));
    return stats !== undefined && Math.abs(now - stats.ctimeMs) > IDLE_AFTER;
  }

  #path(file: string): string {
    return this.#layout.path(`${this.#layout.temporaryFolder}/${file}`);
  }
}

function tallyOf(process: string, number: number, bytes: number): Tally {
  return { file: `tally.${process}.${number}.${bytes}`, process, number, bytes };
}
