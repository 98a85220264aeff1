import { constants } from 'node:fs';
import { unlessAbsent } from './absence.js';
import type { CacheLayout } from './cache-layout.js';
import { close, lstat, open, readdir, rename, unlink } from './fs-calls.js';
import { parseTemporaryName, TemporaryNames, vitalityOf } from './temporary-name.js';

/*
 * What a process has done to the size of the cache is the name of an empty file, tally.<process>.<moved>.<grown>: a
 * rename changes it as a whole, one look at the folder reads those of all processes, and what was removed or renamed
 * by its name is what was read.
 */

const TALLY = /^tally\.([0-9a-f-]+)\.([0-9]{1,16})\.(-?[0-9]{1,16})$/;
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/** How long a tally stays as it is before somebody else may remove it, in milliseconds. */
const IDLE_AFTER = 60 * 60 * 1000;

/** What one process has done, in bytes. */
export interface Tally {
  /** Stored, and removed: never less than before. */
  readonly moved: number;
  /** Stored less removed. */
  readonly grown: number;
}

/** By the names of the processes. */
export type Tallies = ReadonlyMap<string, Tally>;

interface OwnTally extends Tally {
  readonly process: string;
}

/** What each process that uses the folder has stored and removed since it began. */
export class UsageTallies {
  readonly #layout: CacheLayout;
  readonly #mode: number;
  readonly #names = new TemporaryNames();
  #own: OwnTally | undefined;
  #pendingMoved = 0;
  #pendingGrown = 0;
  #publishing: Promise<void> = Promise.resolve();
  #known: ReadonlySet<string> = new Set();

  constructor(layout: CacheLayout, mode: number) {
    this.#layout = layout;
    this.#mode = mode;
  }

  /** Counts what this process has stored, or removed: negative. */
  add(bytes: number): void {
    this.#pendingMoved += Math.abs(bytes);
    this.#pendingGrown += bytes;
  }

  /** Lets the others see what was counted. @throws the operating system's errors. */
  publish(): Promise<void> {
    this.#publishing = this.#publishing.catch(() => {}).then(() => this.#publishPending());
    return this.#publishing;
  }

  /** The latest of all processes, as far as they have published it. */
  async read(): Promise<Tallies> {
    let tallies = await this.#readOnce();
    // A file that is renamed meanwhile may be listed under both of its names, or under none.
    const isIncomplete = [...this.#known].some((process) => !tallies.has(process));
    if (isIncomplete) tallies = new Map([...tallies, ...(await this.#readOnce())]);
    this.#known = new Set(tallies.keys());
    return tallies;
  }

  /** Removes tallies that are settled, of processes that have died or said nothing new for long. */
  async removeSettled(settled: Tallies, now: number): Promise<void> {
    for (const [process, tally] of settled) {
      const path = this.#path(process, tally);
      // Its process, if it lives after all, has renamed it: then there is nothing of this name.
      if (await this.#isOver(process, path, now)) await unlessAbsent(unlink(path));
    }
  }

  async #publishPending(): Promise<void> {
    const [moved, grown] = [this.#pendingMoved, this.#pendingGrown];
    if (moved === 0) return;
    this.#own = (await this.#rename(this.#own, moved, grown)) ?? (await this.#create(moved, grown));
    this.#pendingMoved -= moved;
    this.#pendingGrown -= grown;
  }

  /** `undefined` where it is gone: somebody has settled it while this process had nothing to say. */
  async #rename(own: OwnTally | undefined, moved: number, grown: number): Promise<OwnTally | undefined> {
    if (own === undefined) return undefined;
    const { process } = own;
    const next = { process, moved: own.moved + moved, grown: own.grown + grown };
    const renamed = rename(this.#path(process, own), this.#path(process, next));
    return await unlessAbsent(renamed.then(() => next));
  }

  async #create(moved: number, grown: number): Promise<OwnTally> {
    const own = { process: await this.#names.next(), moved, grown };
    await close(await open(this.#path(own.process, own), CREATE_FLAGS, this.#mode));
    return own;
  }

  async #readOnce(): Promise<Map<string, Tally>> {
    const tallies = new Map<string, Tally>();
    for (const { name } of await readdir(this.#layout.path(this.#layout.temporaryFolder))) {
      const [, process, moved, grown] = TALLY.exec(name) ?? [];
      if (process === undefined) continue;
      const tally = { moved: Number(moved), grown: Number(grown) };
      if (tally.moved > (tallies.get(process)?.moved ?? 0)) tallies.set(process, tally);
    }
    return tallies;
  }

  async #isOver(process: string, path: string, now: number): Promise<boolean> {
    const writer = parseTemporaryName(process);
    if (writer !== undefined && (await vitalityOf(writer)) === 'dead') return true;
    const stats = await unlessAbsent(lstat(path));
    return stats !== undefined && Math.abs(now - stats.ctimeMs) > IDLE_AFTER;
  }

  #path(process: string, { moved, grown }: Tally): string {
    return this.#layout.path(`${this.#layout.temporaryFolder}/tally.${process}.${moved}.${grown}`);
  }
}
