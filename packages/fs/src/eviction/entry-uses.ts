import type { Clock } from '@imgproxy-cache/core/driver';
import { lutimes } from '../fs-calls.js';

// About 4 MB of paths.
const MAX_REMEMBERED = 20_000;
const LONGEST_INTERVAL = 10 * 60 * 1000;
const SHORTEST_INTERVAL = 1000;
// Used entries are marked this often within the lifetime of unused ones.
const MARKS_PER_LIFETIME = 8;

interface Use {
  /** The mtime of the file. */
  markedAt: number;
  usedAt: number;
}

/**
 * The last use of entries. A hit sets the mtime of the file, which other processes and the next start can read
 * whatever the mount options for atime, at most once per entry and interval. Uses in between are kept in memory, for
 * the last 20,000 entries.
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
   * Records a hit.
   * @param markedAt the mtime of the file, if known.
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

  /** The last use of an entry that this process knows of. Marks the file if its mtime is older. */
  async lastUse(path: string, markedAt: number): Promise<number> {
    const use = this.#uses.get(path);
    if (use === undefined || use.usedAt <= markedAt) return markedAt;
    if (use.usedAt - markedAt >= SHORTEST_INTERVAL) await this.#mark(path, use);
    return use.usedAt;
  }

  forget(path: string): void {
    this.#uses.delete(path);
  }

  /** Adapts the interval to the lifetime of unused entries, in milliseconds. */
  adaptTo(life: number): void {
    this.#interval = Math.min(LONGEST_INTERVAL, Math.max(SHORTEST_INTERVAL, life / MARKS_PER_LIFETIME));
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
