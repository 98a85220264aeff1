import type { DriverSubject } from '@imgproxy-cache/driver-testkit';
import { describe, expect, it } from 'vitest';
import { broken, subjectOf } from './broken-drivers/broken-driver.js';
import { SoundDriver } from './broken-drivers/sound-driver.js';
import { filesystem } from './filesystem-subject.js';
import { runContract } from './rule-run.js';

const REFUSED = new TypeError('connect ECONNREFUSED 127.0.0.1:6379');

/** A sound driver behind a subject that is wrong. */
function subjectWith(changes: Partial<Awaited<ReturnType<DriverSubject['prepare']>>>): DriverSubject {
  const subject = subjectOf(SoundDriver);
  return { ...subject, prepare: async () => ({ ...(await subject.prepare()), ...changes }) };
}

async function failureOf(subject: Parameters<typeof runContract>[0], rule: string): Promise<string> {
  return (await runContract(subject, rule)).failures.get(rule)?.message ?? 'the rule holds';
}

const fails = (): Promise<never> => Promise.reject(REFUSED);
const throws = (): never => {
  throw REFUSED;
};
const FAULT = 'a fault of the test harness, not of the driver: ';
const WITH_ERROR = `failed with ${REFUSED}; mend it and run the rule again`;

describe("a fault of the subject's is told from one of the driver's", () => {
  it.each([
    ['prepare()', 'hit', { ...subjectOf(SoundDriver), prepare: fails }],
    ['prepare()', 'hit', { ...subjectOf(SoundDriver), prepare: throws }],
    ['foreign()', 'list-foreign', subjectWith({ foreign: fails })],
    ['tamper()', 'damage-is-no-hit', subjectWith({ tamper: throws })],
    ['outage()', 'outage', subjectWith({ outage: fails })],
    ['outage()', 'check-finds-outage', subjectWith({ outage: throws })],
    ['stall()', 'aborted-in-silence', subjectWith({ stall: fails })],
    ['the function that stall() gave', 'aborted-in-silence', subjectWith({ stall: async () => fails })],
    ['dispose()', 'hit', subjectWith({ dispose: fails })],
  ] as const)('%s, in the rule %s', async (part, rule, subject) => {
    expect(await failureOf(subject, rule)).toBe(`${FAULT}${part} of the subject ${WITH_ERROR}`);
  });

  it('where it gives what is of no use', async () => {
    const nothing = async (): Promise<never> => undefined as never;
    expect(await failureOf({ ...subjectOf(SoundDriver), prepare: nothing }, 'hit')).toBe(
      `${FAULT}prepare() of the subject gave no store with a configuration; mend it and run the rule again`,
    );
    expect(await failureOf(subjectWith({ stall: nothing }), 'aborted-in-silence')).toContain(
      `${FAULT}stall() of the subject gave no function that ends the silence`,
    );
    expect(await failureOf(subjectWith({ tamper: nothing }), 'damage-is-no-miss')).toContain(
      `${FAULT}tamper() of the subject did not call the function that changes the bytes`,
    );
  });

  it('where another process cannot import the module', async () => {
    const module = new URL('no-such-module.js', import.meta.url);
    expect(await failureOf({ ...filesystem, module }, 'killed-put')).toMatch(
      /^a fault of the test harness, not of the driver: module of the subject cannot be imported .+no-such-module/s,
    );
  });

  it('and hides none: the failure of the rule comes before that of the clean-up', async () => {
    const { subject } = broken(
      'miss',
      'finds nothing at all',
      class extends SoundDriver {
        override async get(): Promise<undefined> {}
      },
    );
    const prepare = async () => ({ ...(await subject.prepare()), dispose: fails });
    expect(await failureOf({ ...subject, prepare }, 'hit')).toContain('expected a hit, but get was a miss');
  });
});
