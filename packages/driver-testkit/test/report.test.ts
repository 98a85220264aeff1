import type { CacheEntry, OperationOptions } from '@imgproxy-cache/core/driver';
import { CONTRACT_RULES, driverContract, RULE_GROUPS } from '@imgproxy-cache/driver-testkit';
import memory from '@imgproxy-cache/memory';
import { describe, expect, it } from 'vitest';
import { broken, subjectOf } from './broken-drivers/broken-driver.js';
import { SoundDriver } from './broken-drivers/sound-driver.js';
import { ruleOf, runContract } from './rule-run.js';

const LIMITATIONS = {
  delete: 'its objects are locked for a year',
  list: 'it is addressed by hashes alone',
  'atomic-overwrite': 'it replicates bodies before metadata',
};

class LimitedDriver extends SoundDriver {
  override async delete(): Promise<void> {
    throw this.error('ERR_CACHE_UNSUPPORTED', 'is not possible', 'delete');
  }

  // biome-ignore lint/correctness/useYield: it cannot list
  override async *list(): AsyncGenerator<string> {
    throw this.error('ERR_CACHE_UNSUPPORTED', 'is not possible', 'list');
  }
}

describe('the report', () => {
  it('has one test a rule, below its group, in the order of the groups', () => {
    const groups: string[] = [];
    const titles: string[] = [];
    driverContract(
      {
        describe: (title, body) => {
          groups.push(title);
          body();
        },
        it: (title) => titles.push(title),
      },
      subjectOf(SoundDriver),
    );
    expect(groups).toEqual(['driver broken, contract 1', ...RULE_GROUPS]);
    expect(titles.map(ruleOf).sort()).toEqual(CONTRACT_RULES.map(({ id }) => id).sort());
    expect(titles).toContain(
      `list-nothing: ${CONTRACT_RULES.find(({ id }) => id === 'list-nothing')?.statement}`,
    );
  });

  it('says in the place of a rule what the store cannot do, and why', async () => {
    const capabilities = { limitations: LIMITATIONS };
    const { titles, failures } = await runContract(subjectOf(LimitedDriver, { capabilities }));
    expect([...failures]).toEqual([]);
    expect(titles).toContain(
      `delete-many is not supported by this store, because ${LIMITATIONS.delete} (delete)`,
    );
    expect(titles).toContain(`list-many is not supported by this store, because ${LIMITATIONS.list} (list)`);
    expect(titles).toContain(
      `torn-reads is not supported by this store, because ${LIMITATIONS['atomic-overwrite']} (atomic-overwrite)`,
    );
  });

  it('says in the place of a rule what the subject is without, and why', async () => {
    const why = 'nobody else reaches the memory of this process';
    const { titles, failures } = await runContract({
      definition: memory,
      prepare: async () => ({ config: { maxSize: 2 ** 28, maxEntries: 10_000 } }),
      without: { foreign: why, tamper: why, outage: why, stall: why },
    });
    expect([...failures]).toEqual([]);
    expect(titles).toContain(`damage-is-no-hit is not tried, because ${why}`);
    expect(titles).toContain(
      'seen-by-others does not apply, because the driver declares that its entries stay in one process',
    );
  });
});

describe('an excuse that is not true', () => {
  const failuresOf = async (subject: Parameters<typeof runContract>[0]): Promise<Record<string, string>> => {
    const { failures } = await runContract(subject);
    return Object.fromEntries([...failures].map(([id, { message }]) => [id, message]));
  };

  it('is caught: a limitation that is none', async () => {
    const capabilities = { limitations: { delete: LIMITATIONS.delete } };
    const failures = await failuresOf(subjectOf(SoundDriver, { capabilities }));
    expect(failures['delete']).toBe(
      'delete, which the driver declares it cannot do: expected ERR_CACHE_UNSUPPORTED, but it succeeded',
    );
  });

  it('is caught: entries that other drivers see all the same', async () => {
    const failures = await failuresOf(subjectOf(SoundDriver, { capabilities: { shared: false } }));
    expect(failures).toEqual({
      'seen-by-others':
        'put by one driver that shares nothing, then get by another: expected a miss, but get found an entry',
      'killed-put': expect.stringContaining('put by one driver that shares nothing'),
    });
  });

  it('is caught: a door that is there', async () => {
    const subject = subjectOf(SoundDriver);
    const failures = await failuresOf({
      ...subject,
      without: { ...subject.without, outage: 'the store never fails at all' },
    });
    expect(Object.keys(failures)).toEqual(['outage', 'outage-code', 'check-finds-outage']);
    expect(failures['outage']).toContain('the subject offers outage and says under "without" that it cannot');
  });

  it('is caught: no reason, or no word about what is missing', async () => {
    const { definition, prepare } = subjectOf(SoundDriver);
    const withoutOutage = async () => ({ ...(await prepare()), outage: undefined as never });
    const failures = await failuresOf({ definition, prepare: withoutOutage, without: { outage: 'no' } });
    expect(failures['outage']).toBe('"no" is no reason: say it in words');
    expect(failures['killed-put']).toContain(
      'module of the subject is missing: add it, or say under "without" why',
    );
  });
});

it('a failure of the model names the seed that repeats it', async () => {
  const { subject } = broken(
    'model',
    'loses what is put while something of another name is deleted',
    class extends SoundDriver {
      #deleting = 0;

      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        if (this.#deleting === 0) await super.put(name, entry, options);
      }

      override async delete(names: readonly string[], options?: OperationOptions): Promise<void> {
        this.#deleting += 1;
        await super.delete(names, options);
        this.#deleting -= 1;
      }
    },
  );
  const first = (await runContract(subject, 'model')).failures.get('model')?.message ?? '';
  const replay = JSON.parse(/replay: (\{.*\})/.exec(first)?.[1] ?? '{}');
  expect(replay).toEqual({ seed: expect.any(Number), path: expect.any(String) });
  const second = (await runContract({ ...subject, replay }, 'model')).failures.get('model')?.message ?? '';
  const operations = (message: string): string => message.slice(message.indexOf('What led to it'));
  expect(operations(second)).toBe(operations(first));
  expect(operations(first)).toContain('delete');
}, 60_000);
