import { fileURLToPath } from 'node:url';
import { CONTRACT_RULES } from '@imgproxy-cache/driver-testkit';
import { expect, test } from 'vitest';
import { run } from './child-process.js';

const file = fileURLToPath(new URL('contract-under-node-test.ts', import.meta.url));

test('node:test runs the suite, too', async () => {
  const results = CONTRACT_RULES.filter(({ group }) => group === 'results');
  const pattern = `--test-name-pattern=^(${results.map(({ id }) => id).join('|')}):`;
  // A process that finds itself below another run of node:test reports to it instead of writing.
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env;
  const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', pattern, file], { env });
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(stdout).toMatch(new RegExp(`^# pass ${results.length}$`, 'm'));
});
