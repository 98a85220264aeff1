import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { systemClock } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';

describe('the clock of the machine', () => {
  it('calls back once, and not when it was cancelled', async () => {
    const calls: string[] = [];
    const cancelled = systemClock.setTimer(() => calls.push('cancelled'), 1);
    cancelled.cancel();
    cancelled.cancel();
    const alive = setInterval(() => undefined, 1000);
    await new Promise<void>((resolve) => {
      const timer = systemClock.setTimer(() => {
        calls.push('called');
        timer.cancel();
        resolve();
      }, 2);
    });
    clearInterval(alive);
    expect(calls).toEqual(['called']);
  });

  it('goes forward', () => {
    const [before, then] = [systemClock.monotonic(), systemClock.now()];
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
    expect(Math.abs(systemClock.now() - then)).toBeLessThan(Date.now());
  });

  it("keeps a process alive until a timer fires, unless that is unref'ed", async () => {
    const program = `
      import { systemClock } from ${JSON.stringify(new URL('../../dist/driver/clock.js', import.meta.url).href)};
      systemClock.setTimer(() => console.log('fired'), 3_600_000).unref();
      await new Promise((resolve) => systemClock.setTimer(resolve, 1));
      console.log('resolved');`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      program,
    ]);
    expect(stdout).toBe('resolved\n');
  });
});
