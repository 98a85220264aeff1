import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CONTRACT_RULES } from '@imgproxy-cache/driver-testkit';
import { expect, it } from 'vitest';

const FILE = fileURLToPath(new URL('./processes/contract-under-node-test.mjs', import.meta.url));

it('the memory and the filesystem driver pass the suite under node:test', async () => {
  // A process that finds itself below another run of node:test reports to it instead of writing.
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env;
  const run = promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', FILE], { env });
  const { stdout } = await run.catch(({ stdout }) => ({ stdout }));
  expect(String(stdout).match(/^ *not ok .*/gm)).toBeNull();
  const tests = String(stdout).match(/^ {8}ok .*/gm) ?? [];
  expect(tests.length).toBe(2 * CONTRACT_RULES.length);
  expect(String(stdout)).toMatch(new RegExp(`^# pass ${2 * CONTRACT_RULES.length}$`, 'm'));
}, 120_000);
