import type { Clock } from '@imgproxy-cache/core/driver';
import { unlessAbsent } from './absence.js';
import { lstat, lutimes, readlink, symlink, unlink } from './fs-calls.js';
import { errnoOf } from './fs-errors.js';
import { parseTemporaryName, TemporaryNames, vitalityOf } from './temporary-name.js';

// The clocks of machines that share a folder may differ: taking a lease too early costs work, not truth.
const EXPIRES_AFTER = 60 * 1000;
const RENEWED_EVERY = 10 * 1000;

/**
 * Work that one process at a time should do, told from a symbolic link that leads nowhere: it is made and filled in
 * one step. Whoever finds its holder dead, or the link not renewed for a minute, takes it. Two processes that do so
 * in the same moment may both hold it, so it suits work that is merely not worth doing twice.
 */
export class Lease {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #names = new TemporaryNames();
  #holder = '';
  #renewedAt = 0;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** False while somebody else holds it. @throws the operating system's errors. */
  async acquire(): Promise<boolean> {
    this.#holder = await this.#names.next();
    if (!(await this.#create())) {
      if (!(await this.#isAbandoned())) return false;
      await unlessAbsent(unlink(this.#path));
      if (!(await this.#create())) return false;
    }
    await this.#markRenewed();
    return true;
  }

  /** To be called again and again while the work goes on. */
  async renew(): Promise<void> {
    if (this.#clock.monotonic() - this.#renewedAt >= RENEWED_EVERY) await this.#markRenewed();
  }

  async release(): Promise<void> {
    const holder = await unlessAbsent(readlink(this.#path));
    if (holder === this.#holder) await unlessAbsent(unlink(this.#path));
  }

  async #create(): Promise<boolean> {
    try {
      await symlink(this.#holder, this.#path);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    }
  }

  async #isAbandoned(): Promise<boolean> {
    const holder = parseTemporaryName((await unlessAbsent(readlink(this.#path))) ?? '');
    if (holder !== undefined && (await vitalityOf(holder)) === 'dead') return true;
    const stats = await unlessAbsent(lstat(this.#path));
    return stats === undefined || Math.abs(this.#clock.now() - stats.mtimeMs) > EXPIRES_AFTER;
  }

  async #markRenewed(): Promise<void> {
    this.#renewedAt = this.#clock.monotonic();
    await unlessAbsent(lutimes(this.#path, this.#clock.now()));
  }
}
