const BUCKETS = 10;

/** Totals of the operations in the window. Times are in milliseconds. */
export interface OperationTotals {
  readonly operations: number;
  readonly failures: number;
  /** Time that callers spent on failed operations. */
  readonly lost: number;
  /** Time that successful operations saved their callers. */
  readonly saved: number;
}

interface Bucket {
  /** Number of the tenth of a window that this bucket counts, since the clock's origin. */
  tenth: number;
  operations: number;
  failures: number;
  lost: number;
  saved: number;
}

/** Counts the latest operations in a sliding window of ten buckets. All times are milliseconds of one monotonic clock. */
export class OperationWindow {
  readonly #tenthMilliseconds: number;
  readonly #buckets: Bucket[] = Array.from({ length: BUCKETS }, () => emptyBucket(-1));

  /** @param milliseconds length of the window */
  constructor(milliseconds: number) {
    this.#tenthMilliseconds = milliseconds / BUCKETS;
  }

  succeed(now: number, saved: number): void {
    const bucket = this.#bucket(now);
    bucket.operations++;
    bucket.saved += saved;
  }

  fail(now: number, lost: number): void {
    const bucket = this.#bucket(now);
    bucket.operations++;
    bucket.failures++;
    bucket.lost += lost;
  }

  totals(now: number): OperationTotals {
    const oldest = this.#tenthAt(now) - BUCKETS + 1;
    const totals = { operations: 0, failures: 0, lost: 0, saved: 0 };
    for (const bucket of this.#buckets) {
      if (bucket.tenth < oldest) continue;
      totals.operations += bucket.operations;
      totals.failures += bucket.failures;
      totals.lost += bucket.lost;
      totals.saved += bucket.saved;
    }
    return totals;
  }

  clear(): void {
    for (const bucket of this.#buckets) bucket.tenth = -1;
  }

  #bucket(now: number): Bucket {
    const tenth = this.#tenthAt(now);
    const bucket = this.#buckets[tenth % BUCKETS] as Bucket;
    if (bucket.tenth !== tenth) Object.assign(bucket, emptyBucket(tenth));
    return bucket;
  }

  #tenthAt(now: number): number {
    return Math.floor(now / this.#tenthMilliseconds);
  }
}

function emptyBucket(tenth: number): Bucket {
  return { tenth, operations: 0, failures: 0, lost: 0, saved: 0 };
}
