import type { Clock } from '@imgproxy-cache/core/driver';
import { lutimes } from './fs-calls.js';

// About 4 MB of paths.
const MAX_REMEMBERED = 20_000;
const LONGEST_INTERVAL = 10 * 60 * 1000;
const SHORTEST_INTERVAL = 1000;
// An entry that is in use is marked this many times in the life of one that is not.
const MARKS_IN_A_LIFE = 8;

interface Use {
  /** The time that the file bears. */
  markedAt: number;
  usedAt: number;
}

/**
 * When entries were used. A file's time of modification says it to other processes and after a restart, whatever the
 * mount options say about times of access: a hit sets it, but of one entry only once in an interval. Between that
 * this process remembers the use of the last entries.
 */
export class EntryUses {
  readonly #clock: Clock;
  readonly #uses = new Map<string, Use>();
  readonly #markings = new Set<Promise<void>>();
  #interval = LONGEST_INTERVAL;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Notes a hit.
   * @param markedAt the time that the file bears, where it is known.
   */
  used(path: string, markedAt = 0): void {
    const now = this.#clock.now();
    let use = this.#uses.get(path);
    if (use === undefined) {
      if (this.#uses.size >= MAX_REMEMBERED) this.#uses.clear();
      use = { markedAt, usedAt: now };
      this.#uses.set(path, use);
    }
    use.usedAt = now;
    if (now - use.markedAt < this.#interval) return;
    const marking = this.#mark(path, use).finally(() => this.#markings.delete(marking));
    this.#markings.add(marking);
  }

  /** When an entry was used last, as far as this process knows. Tells the others what only this one knew. */
  async lastUse(path: string, markedAt: number): Promise<number> {
    const use = this.#uses.get(path);
    if (use === undefined || use.usedAt <= markedAt) return markedAt;
    if (use.usedAt - markedAt >= SHORTEST_INTERVAL) await this.#mark(path, use);
    return use.usedAt;
  }

  forget(path: string): void {
    this.#uses.delete(path);
  }

  /** Fits the interval to how long entries live that nobody uses, in milliseconds. */
  adaptTo(life: number): void {
    this.#interval = Math.min(LONGEST_INTERVAL, Math.max(SHORTEST_INTERVAL, life / MARKS_IN_A_LIFE));
  }

  /** Resolves when no file is being marked. */
  async settle(): Promise<void> {
    await Promise.all(this.#markings);
  }

  async #mark(path: string, use: Use): Promise<void> {
    use.markedAt = use.usedAt;
    try {
      await lutimes(path, use.usedAt);
    } catch {
      // Deleted, read-only, or another user's: it then counts as old as it looks.
    }
  }
}
