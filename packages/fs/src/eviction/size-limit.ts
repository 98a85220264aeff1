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
  #isDoubtful = false;
  #nextAttemptAt = Number.NEGATIVE_INFINITY;
  #counting: Promise<void> | undefined;

  constructor(options: SizeLimitOptions) {
    this.#options = options;
  }

  /** Bytes that may be stored between two readings of the size. */
  get step(): number {
    return this.#options.maxSize * STEP;
  }

  /**
   * Evicts down to the low mark if the cache exceeds the high mark.
   * @returns `later` if the size is unknown or rough, `nothing-evictable` if no entry could be evicted.
   */
  async enforce(signal: AbortSignal, onEvicted: OnEvicted): Promise<'done' | 'later' | 'nothing-evictable'> {
    const { maxSize, evictor } = this.#options;
    const target = maxSize * LOW_MARK;
    let size = await this.#readSize(signal);
    const excess = (size?.bytes ?? 0) > maxSize * HIGH_MARK;
    while (excess && size !== undefined && size.bytes > target && !signal.aborted) {
      const { bytes, processes } = size;
      const pace = paceFor(bytes / maxSize);
      const part = Math.max((bytes - target) / processes, Math.min(this.step, bytes - target));
      if ((await evictor.free(part, pace, signal, onEvicted)) === 'nothing-evictable') {
        this.#isDoubtful = true;
        this.#startCounting(signal);
        return 'nothing-evictable';
      }
      size = await this.#readSize(signal);
    }
    return size === undefined || size.rough ? 'later' : 'done';
  }

  /** Waits for a running count, which its signal ends. */
  async settle(): Promise<void> {
    await this.#counting;
    await this.#options.tallies.publish();
  }

  async #readSize(signal: AbortSignal): Promise<KnownSize | undefined> {
    await this.#options.tallies.publish();
    const size = await this.#options.size.read();
    if (size === undefined || size.due || this.#isDoubtful) this.#startCounting(signal);
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
      this.#isDoubtful = false;
      const message = `counted ${count.entries} entries of ${count.bytes} bytes in ${count.took} ms`;
      this.#options.context.report({ kind: 'size-counted', level: 'debug', message });
      this.#options.onCounted();
    } catch (error) {
      this.#options.warnings.failed(error, 'the size of the cache');
    }
  }
}

/** Near the limit eviction gets more of the thread pool and is less selective, or stores would outrun it. */
function paceFor(share: number): Pace {
  if (share > 1) return { lanes: 64, share: 1 / 2 };
  return share > 0.99 ? { lanes: 32, share: 1 / 4 } : { lanes: 8, share: 1 / 8 };
}
