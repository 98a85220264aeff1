import { ManualClock } from '@imgproxy-cache/driver-testkit';
import { expect, it } from 'vitest';

it('stands still until it is moved', () => {
  const clock = new ManualClock({ now: 1000 });
  expect([clock.now(), clock.monotonic()]).toEqual([1000, 0]);
  clock.advance(250);
  expect([clock.now(), clock.monotonic()]).toEqual([1250, 250]);
  expect(Math.abs(new ManualClock().now() - Date.now())).toBeLessThan(60_000);
});

it('fires what is due, in its order, those timers included that are set meanwhile', () => {
  const clock = new ManualClock({ now: 0 });
  const fired: string[] = [];
  const note = (what: string) => () => void fired.push(`${what} at ${clock.now()}`);
  clock.setTimer(note('second'), 20);
  clock.setTimer(() => {
    note('first')();
    clock.setTimer(note('set by the first'), 5);
    clock.setTimer(note('too late'), 100);
  }, 10);
  const cancelled = clock.setTimer(note('cancelled'), 15);
  cancelled.cancel();
  cancelled.cancel();
  clock.advance(9);
  expect(fired).toEqual([]);
  clock.advance(21);
  expect(fired).toEqual(['first at 10', 'set by the first at 15', 'second at 20']);
  expect([clock.now(), clock.timers]).toEqual([30, 1]);
});

it('may go on by itself as well', async () => {
  const clock = new ManualClock({ ticking: true });
  const began = clock.monotonic();
  const fired: string[] = [];
  clock.setTimer(() => void fired.push('the timer'), 0);
  await expect.poll(() => clock.monotonic()).toBeGreaterThan(began);
  expect(fired).toEqual([]);
  clock.advance(3_600_000);
  expect(fired).toEqual(['the timer']);
  expect(clock.monotonic()).toBeGreaterThan(3_600_000);
});
