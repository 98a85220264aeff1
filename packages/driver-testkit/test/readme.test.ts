import { readFileSync } from 'node:fs';
import { CONTRACT_RULES, RULE_GROUPS } from '@imgproxy-cache/driver-testkit';
import { expect, it } from 'vitest';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('the README lists the rules as they are', () => {
  const [, section] = /<!-- rules -->\n(.*)<!-- \/rules -->/s.exec(README) ?? [];
  expect(section?.trim()).toBe(RULE_GROUPS.map(tableOf).join('\n\n'));
});

it('every rule has words, and a name of its own', () => {
  for (const { id, statement, reason, source } of CONTRACT_RULES) {
    expect(id).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    for (const text of [statement, reason]) expect(text.split(' ').length).toBeGreaterThan(3);
    expect(source).not.toBe('');
  }
  expect(new Set(CONTRACT_RULES.map(({ id }) => id)).size).toBe(CONTRACT_RULES.length);
});

function tableOf(group: string): string {
  const rows = CONTRACT_RULES.filter((rule) => rule.group === group).map(
    ({ id, statement, reason, source }) =>
      `| \`${id}\` | ${statement} | ${reason} | ${source} |`.replaceAll('<', '\\<'),
  );
  return [`### ${group}`, '', '| rule | what holds | why | source |', '|---|---|---|---|', ...rows].join(
    '\n',
  );
}
