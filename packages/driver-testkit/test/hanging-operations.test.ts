import type { StoredEntry } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import { subjectOf } from './broken-drivers/broken-driver.js';
import { OtherEntries, OtherEntry } from './broken-drivers/other-entry.js';
import { SoundDriver } from './broken-drivers/sound-driver.js';
import { runContract } from './rule-run.js';

type DriverClass = Parameters<typeof subjectOf>[0];

const never = (): Promise<never> => new Promise(() => undefined);

/** A driver with one operation that never ends. */
function hanging(operation: 'get' | 'put' | 'delete' | 'check' | 'close'): DriverClass {
  return class extends SoundDriver {
    constructor(...parts: ConstructorParameters<DriverClass>) {
      super(...parts);
      Object.assign(this, { [operation]: never });
    }
  };
}

/** A driver whose entries have one operation that never ends. */
function hangingEntry(operation: 'bytes' | 'discard'): DriverClass {
  return class extends OtherEntries {
    protected override entryFor(found: StoredEntry): StoredEntry {
      return Object.assign(new OtherEntry(found), { [operation]: never });
    }
  };
}

class HangingList extends SoundDriver {
  override async *list(prefix: string): AsyncGenerator<string> {
    yield* super.list(prefix);
    await never();
  }
}

class HangingStream extends OtherEntries {
  protected override entryFor(found: StoredEntry): StoredEntry {
    return new (class extends OtherEntry {
      override async *stream(): AsyncGenerator<Uint8Array> {
        yield* super.stream();
        await never();
      }
    })(found);
  }
}

async function failureOf(driver: DriverClass, rule: string): Promise<string | undefined> {
  const { failures } = await runContract(subjectOf(driver, { ruleTimeout: 1 }), rule);
  return failures.get(rule)?.message;
}

describe('a rule that takes too long names the operation that did not end', () => {
  it.each([
    ['get', 'miss', hanging('get'), /get of testkit-\w+\/entries\/never-put/],
    ['put', 'hit', hanging('put'), /put of testkit-\w+\/entries\/image\/webp/],
    ['delete', 'delete-many', hanging('delete'), /delete of 249 names/],
    ['list', 'list-nothing', HangingList, /list of testkit-\w+\/entries\/nothing/],
    ['check', 'check-passes', hanging('check'), /check/],
    ['close', 'close-twice', hanging('close'), /close/],
    ['bytes', 'hit', hangingEntry('bytes'), /bytes of testkit-\w+\/entries\/image\/webp/],
    ['stream', 'stream', HangingStream, /stream of testkit-\w+\/entries\/0-bytes/],
    ['discard', 'consumed-once', hangingEntry('discard'), /discard of testkit-\w+\/entries\/10-bytes/],
  ] as const)('%s', async (_operation, rule, driver, title) => {
    const [, underWay] =
      /^expected every operation to end within 1 seconds, but these are still under way: (.*)$/.exec(
        (await failureOf(driver, rule)) ?? '',
      ) ?? [];
    expect(underWay).toMatch(title);
    expect(underWay).toMatch(/ \(\d+\.\d s\)$/);
  });

  it('names all of them, the longest first', async () => {
    const message = await failureOf(hanging('put'), 'parallel-names');
    expect(message).toMatch(/: put of \S+\/0 \(\d\.\d s\), put of \S+\/1 .+ and 195 more$/);
  });

  it('or a function of the test harness', async () => {
    const { failures } = await runContract(
      { ...subjectOf(SoundDriver, { ruleTimeout: 1 }), prepare: never },
      'hit',
    );
    expect(failures.get('hit')?.message).toMatch(
      /still under way: prepare\(\) of the test harness, which is not the driver's, \(\d\.\d s\)$/,
    );
  });
});
