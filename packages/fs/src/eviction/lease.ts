import type { Clock } from '@imgproxy-cache/core/driver';
import { lstat, lutimes, readlink, symlink, unlink } from '../fs-calls.js';
import { errnoOf, unlessAbsent } from '../fs-errors.js';
import { parseTemporaryName, processState, TemporaryNames } from '../temporary-names.js';

// Clocks of machines that share a folder may differ. A lease taken too early costs repeated work only.
const EXPIRES_AFTER = 60 * 1000;
const RENEWED_EVERY = 10 * 1000;

/**
 * A best-effort lock between processes, held as a dangling symlink, which is created with its content in one step. A
 * process takes it over if the holder is dead or has not renewed it for a minute. Two processes may do so at once, so
 * it only saves repeated work and excludes nothing.
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

  /** False while another process holds it. @throws the operating system's errors. */
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

  /** Renews the lease if due. Call it often while the work goes on. */
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
    if (holder !== undefined && (await processState(holder)) === 'dead') return true;
    const stats = await unlessAbsent(lstat(this.#path));
    return stats === undefined || Math.abs(this.#clock.now() - stats.mtimeMs) > EXPIRES_AFTER;
  }

  async #markRenewed(): Promise<void> {
    this.#renewedAt = this.#clock.monotonic();
    await unlessAbsent(lutimes(this.#path, this.#clock.now()));
  }
}
