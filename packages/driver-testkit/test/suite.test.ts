import { CONTRACT_RULES } from '@imgproxy-cache/driver-testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subjectOf } from './broken-drivers/broken-driver.js';
import { BROKEN_DRIVERS } from './broken-drivers/catalogue.js';
import { SoundDriver } from './broken-drivers/sound-driver.js';
import { runContract } from './rule-run.js';

const caught: { rule: string; mistake: string; by: readonly string[] }[] = [];

describe('a right driver', () => {
  it('passes every rule', async () => {
    const { titles, failures } = await runContract(subjectOf(SoundDriver));
    expect(titles.length).toBe(CONTRACT_RULES.length);
    expect([...failures.values()]).toEqual([]);
  }, 60_000);
});

describe('a driver that', () => {
  // One of them rejects promises that nobody has: in most rules nobody is to notice.
  const others = process.listeners('unhandledRejection');
  const ignore = (): void => undefined;
  beforeAll(() => {
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', ignore);
  });
  afterAll(() => {
    process.off('unhandledRejection', ignore);
    for (const other of others) process.on('unhandledRejection', other);
  });

  for (const { rule, mistake, also, subject } of BROKEN_DRIVERS) {
    it(`${mistake}: caught by ${rule}`, async () => {
      const { failures } = await runContract(subject);
      caught.push({ rule, mistake, by: [...failures.keys()] });
      expect([...failures.keys()]).toContain(rule);
      const surplus = [...failures].filter(([id]) => id !== rule && !also.includes(id));
      expect(surplus).toEqual([]);
      for (const { message } of failures.values()) expect(message).toMatch(/expected .+, but .+/s);
    }, 120_000);
  }
});

describe('the table of rules and broken drivers', () => {
  it('is complete in both directions', () => {
    const rules = CONTRACT_RULES.map(({ id }) => id);
    process.stdout.write(table(rules));
    expect(new Set(rules).size).toBe(rules.length);
    const uncaught = caught.filter(({ rule, by }) => !by.includes(rule));
    expect(uncaught).toEqual([]);
    expect(caught.length).toBe(BROKEN_DRIVERS.length);
    expect(new Set(caught.map(({ rule }) => rule))).toEqual(new Set(rules));
  });
});

function table(rules: readonly string[]): string {
  const rows = rules.flatMap((id) => {
    const drivers = caught.filter(({ rule }) => rule === id);
    if (drivers.length === 0) return [[id, '(no driver breaks it)', '']];
    return drivers.map(({ mistake, by }) => [id, mistake, by.join(', ')]);
  });
  const all = [['rule', 'broken driver', 'caught by'], ...rows];
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return `${all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`;
}
