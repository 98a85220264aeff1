import type { DriverContext } from '@imgproxy-cache/core/driver';
import type { CacheSize, KnownSize } from './cache-size.js';
import type { EvictionHand, Haste, OnEvicted } from './eviction-hand.js';
import type { RareReports } from './rare-reports.js';
import type { UsageTallies } from './usage-tallies.js';

// Begins a little below the limit and goes on to the low mark, so that the limit holds while others store.
const HIGH_MARK = 0.98;
const LOW_MARK = 0.95;
/** Which part of the limit may be stored, or is evicted, between two looks at the size. */
const STEP = 1 / 512;

const COUNT_ATTEMPT_EVERY = 1000;

/** `IMGPROXY_CACHE_FS_MAX_SIZE`: what the entries of all processes take together. */
export class SizeLimit {
  readonly #maxSize: number;
  readonly #size: CacheSize;
  readonly #tallies: UsageTallies;
  readonly #hand: EvictionHand;
  readonly #context: Pick<DriverContext, 'report' | 'clock'>;
  readonly #reports: RareReports;
  readonly #onCounted: () => void;
  #inDoubt = false;
  #nextAttemptAt = Number.NEGATIVE_INFINITY;
  #counting: Promise<void> | undefined;

  /** @param onCounted is called when this process has found out the size. */
  constructor(
    maxSize: number,
    size: CacheSize,
    tallies: UsageTallies,
    hand: EvictionHand,
    context: Pick<DriverContext, 'report' | 'clock'>,
    reports: RareReports,
    onCounted: () => void,
  ) {
    this.#maxSize = maxSize;
    this.#size = size;
    this.#tallies = tallies;
    this.#hand = hand;
    this.#context = context;
    this.#reports = reports;
    this.#onCounted = onCounted;
  }

  get step(): number {
    return this.#maxSize * STEP;
  }

  /**
   * Evicts what is above the limit.
   * @returns `later` where the size is not known exactly, `vain` where there was nothing to evict although there
   *   should be.
   */
  async hold(signal: AbortSignal, onEvicted: OnEvicted): Promise<'done' | 'later' | 'vain'> {
    const enough = this.#maxSize * LOW_MARK;
    let size = await this.#look(signal);
    const excess = (size?.bytes ?? 0) > this.#maxSize * HIGH_MARK;
    while (excess && size !== undefined && size.bytes > enough && !signal.aborted) {
      const { bytes, processes } = size;
      const haste = hasteFor(bytes / this.#maxSize);
      const part = Math.max((bytes - enough) / processes, Math.min(this.step, bytes - enough));
      if ((await this.#hand.free(part, haste, signal, onEvicted)) === 'vain') {
        this.#inDoubt = true;
        this.#startCounting(signal);
        return 'vain';
      }
      size = await this.#look(signal);
    }
    return size === undefined || size.rough ? 'later' : 'done';
  }

  /** Waits for the counting, which a signal ends. */
  async settle(): Promise<void> {
    await this.#counting;
    await this.#tallies.publish();
  }

  async #look(signal: AbortSignal): Promise<KnownSize | undefined> {
    await this.#tallies.publish();
    const size = await this.#size.read();
    if (size === undefined || size.due || this.#inDoubt) this.#startCounting(signal);
    return size;
  }

  #startCounting(signal: AbortSignal): void {
    const now = this.#context.clock.monotonic();
    if (this.#counting !== undefined || now < this.#nextAttemptAt) return;
    this.#counting = this.#count(signal).finally(() => {
      this.#counting = undefined;
      this.#nextAttemptAt = this.#context.clock.monotonic() + COUNT_ATTEMPT_EVERY;
    });
  }

  async #count(signal: AbortSignal): Promise<void> {
    try {
      const count = await this.#size.count(signal, this.#reports.trouble);
      if (count === undefined) return;
      this.#inDoubt = false;
      const message = `counted ${count.entries} entries of ${count.bytes} bytes in ${count.took} ms`;
      this.#context.report({ kind: 'size-counted', level: 'debug', message });
      this.#onCounted();
    } catch (error) {
      this.#reports.trouble(error, 'the size of the cache');
    }
  }
}

/**
 * The nearer to the limit, and above it, the more of this process's trips to the file system are those of the
 * eviction, and the less choosy it is: who stores without a pause would outrun it otherwise.
 */
function hasteFor(share: number): Haste {
  if (share > 1) return { lanes: 64, share: 1 / 2 };
  return share > 0.99 ? { lanes: 32, share: 1 / 4 } : { lanes: 8, share: 1 / 8 };
}
