import { type Attempt, Retries, type RetryVerdict } from '@imgproxy-cache/http-transport';
import { describe, expect, test } from 'vitest';

/** Fails as often as there are verdicts, and then answers. */
function failing(verdicts: readonly RetryVerdict[]) {
  const attempts: Attempt[] = [];
  const work = (attempt: Attempt): Promise<string> => {
    attempts.push(attempt);
    const verdict = verdicts[attempts.length - 1];
    return verdict === undefined ? Promise.resolve('answered') : Promise.reject(verdict);
  };
  return { attempts, work, judge: (error: unknown) => error as RetryVerdict };
}

const atOnce = { random: () => 0 };
const transient = { reason: 'transient' } as const;

describe('a request', () => {
  test('is made three times at the most, the last time over a new connection', async () => {
    const { attempts, work, judge } = failing([transient, transient, transient, transient]);
    await expect(new Retries(atOnce).run(work, judge)).rejects.toBe(transient);
    expect(attempts.map(({ number, fresh }) => [number, fresh])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
  });

  test('that went over a stale connection is made again over a new one, for nothing', async () => {
    const retries = new Retries({ budget: 0 });
    const { attempts, work, judge } = failing([{ reason: 'stale' }]);
    expect(await retries.run(work, judge)).toBe('answered');
    expect(attempts).toMatchObject([{ fresh: false }, { fresh: true, cost: 0 }]);
  });

  test('is not made again where that is of no use', async () => {
    const { attempts, work } = failing([transient]);
    await expect(new Retries(atOnce).run(work, () => undefined)).rejects.toBe(transient);
    expect(attempts).toHaveLength(1);
  });

  test('is not made again once its signal has ended it', async () => {
    const { attempts, work, judge } = failing([transient]);
    await expect(new Retries(atOnce).run(work, judge, { signal: AbortSignal.abort() })).rejects.toBe(
      transient,
    );
    expect(attempts).toHaveLength(1);
  });

  test('is not made again where the pauses would take longer than they may', async () => {
    const slow = { random: () => 1 };
    const two = failing([transient, transient, transient]);
    // Pauses of 50 and 100 milliseconds.
    await expect(new Retries(slow).run(two.work, two.judge, { longestWait: 149 })).rejects.toBe(transient);
    expect(two.attempts).toHaveLength(2);
    const throttled = failing([{ reason: 'throttled' }]);
    await expect(
      new Retries(slow).run(throttled.work, throttled.judge, { longestWait: 62.5 }),
    ).rejects.toMatchObject({ reason: 'throttled' });
    expect(throttled.attempts).toHaveLength(1);
    const stale = failing([{ reason: 'stale' }]);
    expect(await new Retries(slow).run(stale.work, stale.judge, { longestWait: 0 })).toBe('answered');
  });

  test('ends with its signal while it waits', async () => {
    const abort = new AbortController();
    const { work, judge } = failing([{ reason: 'throttled', retryAfter: 20_000 }]);
    const running = new Retries({ random: () => 1 }).run(work, judge, { signal: abort.signal });
    setImmediate(() => abort.abort());
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the wait', () => {
  test.each([
    ['transient', 1, 50],
    ['transient', 2, 100],
    ['throttled', 1, 1_000],
    ['throttled', 2, 2_000],
    ['throttled', 9, 20_000],
    ['stale', 1, 0],
    ['corrected', 1, 0],
  ] as const)('after a failure that is %s, in attempt %i, is up to %i ms', (reason, number, most) => {
    const waits = [0, 0.5, 1].map((random) => {
      const retries = new Retries({ random: () => random, maxAttempts: 20 });
      return retries.after({ number, fresh: false, cost: 0 }, { reason })?.wait;
    });
    expect(waits).toEqual([0, most / 2, most]);
  });

  test('is longer where the store asks for it, but not as long as it likes', () => {
    const retries = new Retries(atOnce);
    const first = retries.first();
    expect(retries.after(first, { reason: 'throttled', retryAfter: 3_000 })?.wait).toBe(3_000);
    expect(retries.after(first, { reason: 'throttled', retryAfter: 3_600_000 })?.wait).toBe(5_000);
  });
});

describe('the budget', () => {
  const retriesOf = (retries: Retries, verdict: RetryVerdict): number => {
    let count = 0;
    while (retries.after(retries.first(), verdict) !== undefined) count += 1;
    return count;
  };

  test('bounds the retries of all requests together', () => {
    expect(retriesOf(new Retries(), transient)).toBe(35);
    expect(retriesOf(new Retries(), { reason: 'throttled' })).toBe(100);
  });

  test('is filled again by successes, up to its size', () => {
    const retries = new Retries({ budget: 28 });
    const [first] = [retries.after(retries.first(), transient)];
    expect(retriesOf(retries, transient)).toBe(1);
    expect(retriesOf(retries, transient)).toBe(0);
    if (first !== undefined) retries.succeeded(first.attempt);
    expect(retriesOf(retries, transient)).toBe(1);
    for (let count = 0; count < 14; count += 1) retries.succeeded(retries.first());
    expect(retriesOf(retries, transient)).toBe(1);
    for (let count = 0; count < 1_000; count += 1) retries.succeeded(retries.first());
    expect(retriesOf(retries, transient)).toBe(2);
  });
});
