import { RecentValues } from '@imgproxy-cache/core/driver';
import { expect, it } from 'vitest';

it('keeps at least half of its limit, the latest used ones, and never more than its limit', () => {
  const values = new RecentValues<number>({ maxEntries: 100 });
  for (let index = 0; index < 1000; index += 1) {
    values.set(`value ${index}`, index);
    // Used all the time.
    expect(values.get('value 0')).toBe(0);
    for (let latest = Math.max(0, index - 40); latest <= index; latest += 1) {
      expect(values.get(`value ${latest}`)).toBe(latest);
    }
  }
  const kept = Array.from({ length: 1000 }, (_, index) => values.get(`value ${index}`));
  expect(kept.filter((value) => value !== undefined).length).toBeLessThanOrEqual(100);
});

it('keeps nothing under keys that are too long, and no more characters than its limit', () => {
  const values = new RecentValues<number>({ maxEntries: 100, maxCharacters: 20, maxKeyLength: 8 });
  values.set('123456789', 1);
  expect(values.get('123456789')).toBeUndefined();
  for (const key of ['12345678', 'abcdefgh', 'ABCDEFGH', '--------']) values.set(key, 1);
  expect(values.get('12345678')).toBeUndefined();
  expect(values.get('--------')).toBe(1);
});

it('forgets what is deleted or cleared', () => {
  const values = new RecentValues<number>({ maxEntries: 10 });
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) values.set(key, 1);
  values.delete('a');
  values.delete('f');
  expect([values.get('a'), values.get('f'), values.get('b')]).toEqual([undefined, undefined, 1]);
  values.clear();
  expect(values.get('b')).toBeUndefined();
});
