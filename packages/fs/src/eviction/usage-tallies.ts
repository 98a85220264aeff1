import { constants } from 'node:fs';
import type { CacheLayout } from '../cache-layout.js';
import { close, lstat, open, readdir, rename, unlink } from '../fs-calls.js';
import { unlessAbsent } from '../fs-errors.js';
import { parseTemporaryName, processState, TemporaryNames } from '../temporary-names.js';

/*
 * Each process publishes its tally as the name of an empty file, tally.<process>.<moved>.<grown>. A rename updates it
 * atomically, and one listing of the folder reads the tallies of all processes.
 */

const TALLY = /^tally\.([0-9a-f-]+)\.([0-9]{1,16})\.(-?[0-9]{1,16})$/;
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/** A tally unchanged for this long may be removed by other processes, in milliseconds. */
const IDLE_AFTER = 60 * 60 * 1000;

/** What one process has stored and removed, in bytes. */
export interface Tally {
  /** Stored plus removed: never decreases. */
  readonly moved: number;
  /** Stored minus removed. */
  readonly grown: number;
}

/** Tallies by process. */
export type Tallies = ReadonlyMap<string, Tally>;

interface OwnTally extends Tally {
  readonly process: string;
}

/** What each process has stored and removed since it started. */
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

  /** Adds what this process has stored; negative: removed. */
  add(bytes: number): void {
    this.#pendingMoved += Math.abs(bytes);
    this.#pendingGrown += bytes;
  }

  /** Publishes the tally to other processes. @throws the operating system's errors. */
  publish(): Promise<void> {
    this.#publishing = this.#publishing.catch(() => {}).then(() => this.#publishPending());
    return this.#publishing;
  }

  /** Reads the published tallies of all processes. */
  async read(): Promise<Tallies> {
    let tallies = await this.#readOnce();
    // A file that is renamed meanwhile may be listed under both of its names, or under none.
    const isIncomplete = [...this.#known].some((process) => !tallies.has(process));
    if (isIncomplete) tallies = new Map([...tallies, ...(await this.#readOnce())]);
    this.#known = new Set(tallies.keys());
    return tallies;
  }

  /** Removes tallies that a count includes, of processes that died or have been idle for an hour. */
  async removeSettled(settled: Tallies, now: number): Promise<void> {
    for (const [process, tally] of settled) {
      const path = this.#path(process, tally);
      // A live process may have renamed its tally: then this name is gone.
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

  /** `undefined` if another process has removed it while this one was idle. */
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
    if (writer !== undefined && (await processState(writer)) === 'dead') return true;
    const stats = await unlessAbsent(lstat(path));
    return stats !== undefined && Math.abs(now - stats.ctimeMs) > IDLE_AFTER;
  }

  #path(process: string, { moved, grown }: Tally): string {
    return this.#layout.path(`${this.#layout.temporaryFolder}/tally.${process}.${moved}.${grown}`);
  }
}
