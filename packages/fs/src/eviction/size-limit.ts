import type { DriverContext } from '@imgproxy-cache/core/driver';
import type { CacheSize, KnownSize } from './cache-size.js';
import type { ClockEviction, OnEvicted, Pace } from './clock-eviction.js';
import type { ThrottledWarnings } from './throttled-warnings.js';
import type { UsageTallies } from './usage-tallies.js';

// Eviction runs from the high mark down to the low mark, so that stores meanwhile stay below the limit.
const HIGH_MARK = 0.98;
const LOW_MARK = 0.95;
/** Share of the limit that is stored or evicted between two readings of the size. */
const STEP = 1 / 512;

// While the size is unknown, a process stores this share of the limit and then waits for the count.
const UNCOUNTED_SHARE = 1 / 8;

const COUNT_ATTEMPT_EVERY = 1000;

/** What {@link SizeLimit} works on. */
export interface SizeLimitOptions {
  /** In bytes. */
  readonly maxSize: number;
  readonly size: CacheSize;
  readonly tallies: UsageTallies;
  readonly evictor: ClockEviction;
  readonly context: Pick<DriverContext, 'report' | 'clock'>;
  readonly warnings: ThrottledWarnings;
  /** Runs after each count by this process. */
  readonly onCounted: () => void;
}

/** `IMGPROXY_CACHE_FS_MAX_SIZE`: the limit of the entries of all processes together. */
export class SizeLimit {
  readonly #options: SizeLimitOptions;
  // As last read, and what this process has stored and removed since.
  #lastSize: KnownSize | undefined;
  #grownSince = 0;
  // When nothing could be evicted, in milliseconds since the Unix epoch. The size may have been wrong.
  #doubtedAt: number | undefined;
  #nextAttemptAt = Number.NEGATIVE_INFINITY;
  #counting: Promise<void> | undefined;

  constructor(options: SizeLimitOptions) {
    this.#options = options;
  }

  /** Bytes that may be stored between two readings of the size. */
  get step(): number {
    return this.#options.maxSize * STEP;
  }

  /** Whether the cache exceeds the limit, as far as this process knows. */
  get isExceeded(): boolean {
    const { maxSize } = this.#options;
    if (this.#lastSize === undefined) return this.#grownSince > maxSize * UNCOUNTED_SHARE;
    const { bytes, processes } = this.#lastSize;
    // The others may have stored as much meanwhile.
    return bytes + this.#grownSince * (this.#grownSince > 0 ? processes : 1) > maxSize;
  }

  /** Records by how many bytes this process changed the size of the cache. */
  add(bytes: number): void {
    this.#grownSince += bytes;
    this.#options.tallies.add(bytes);
  }

  /**
   * Evicts down to the low mark if the cache exceeds the high mark.
   * @returns `later` if the size is unknown, rough or doubtful, `nothing-evictable` if no entry could be evicted although
   *   a later count has confirmed the size.
   */
  async enforce(signal: AbortSignal, onEvicted: OnEvicted): Promise<'done' | 'later' | 'nothing-evictable'> {
    const { maxSize, evictor } = this.#options;
    const target = maxSize * LOW_MARK;
    let size = await this.#readSize(signal);
    if (size === undefined && this.isExceeded) {
      await this.#counting;
      size = await this.#readSize(signal);
    }
    const excess = (size?.bytes ?? 0) > maxSize * HIGH_MARK;
    while (excess && size !== undefined && size.bytes > target && !signal.aborted) {
      const { bytes, processes } = size;
      const pace = paceFor(bytes / maxSize);
      const part = Math.max((bytes - target) / processes, Math.min(this.step, bytes - target));
      let evicted = false;
      const outcome = await evictor.free(part, pace, signal, (freed) => {
        evicted = true;
        onEvicted(freed);
      });
      if (evicted) this.#doubtedAt = undefined;
      if (outcome === 'nothing-evictable') {
        const isConfirmed = this.#isConfirmed(size);
        this.#doubtedAt ??= this.#options.context.clock.now();
        this.#startCounting(signal);
        return isConfirmed ? 'nothing-evictable' : 'later';
      }
      size = await this.#readSize(signal);
    }
    return size === undefined || size.rough ? 'later' : 'done';
  }

  /** Whether a count has found the size since it was first doubted, or just before. */
  #isConfirmed({ countedAt, rough }: KnownSize): boolean {
    const now = this.#options.context.clock.now();
    if (this.#doubtedAt !== undefined && countedAt > this.#doubtedAt) return true;
    return !rough && Math.abs(now - countedAt) < COUNT_ATTEMPT_EVERY;
  }

  /** Waits for a running count, which its signal ends. */
  async settle(): Promise<void> {
    await this.#counting;
    await this.#options.tallies.publish();
  }

  async #readSize(signal: AbortSignal): Promise<KnownSize | undefined> {
    const grown = this.#grownSince;
    await this.#options.tallies.publish();
    const size = await this.#options.size.read();
    if (size !== undefined) {
      this.#lastSize = size;
      this.#grownSince -= grown;
    }
    const isDoubtful = this.#doubtedAt !== undefined && (size?.countedAt ?? 0) <= this.#doubtedAt;
    if (size === undefined || size.due || isDoubtful) this.#startCounting(signal);
    return size;
  }

  #startCounting(signal: AbortSignal): void {
    const now = this.#options.context.clock.monotonic();
    if (this.#counting !== undefined || now < this.#nextAttemptAt) return;
    this.#counting = this.#count(signal).finally(() => {
      this.#counting = undefined;
      this.#nextAttemptAt = this.#options.context.clock.monotonic() + COUNT_ATTEMPT_EVERY;
    });
  }

  async #count(signal: AbortSignal): Promise<void> {
    try {
      const count = await this.#options.size.count(signal, this.#options.warnings.failed);
      if (count === undefined) return;
      const message = `counted ${count.entries} entries of ${count.bytes} bytes in ${count.took} ms`;
      this.#options.context.report({ kind: 'size-counted', level: 'debug', message });
      this.#options.onCounted();
    } catch (error) {
      this.#options.warnings.failed(error, 'the size of the cache');
    }
  }
}

/** Near the limit eviction gets more of the thread pool, and above it is less selective, or stores would outrun it. */
function paceFor(share: number): Pace {
  if (share > 1) return { lanes: 16, share: 1 / 2 };
  return { lanes: share > 0.99 ? 16 : 8, share: 1 / 3 };
}
