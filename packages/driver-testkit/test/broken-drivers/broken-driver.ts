import {
  type CacheDriver,
  type ConfigTable,
  type DriverCapabilities,
  type DriverContext,
  defineCacheDriver,
} from '@imgproxy-cache/core/driver';
import type { DriverSubject } from '@imgproxy-cache/driver-testkit';
import { Store } from './sound-driver.js';

/** A driver with one mistake. */
export interface BrokenDriver {
  /** The id of the rule that catches it. */
  readonly rule: string;
  /** Rules that the same mistake may break as well. */
  readonly also: readonly string[];
  /** What it does wrong, as a sentence without its subject. */
  readonly mistake: string;
  readonly subject: DriverSubject;
}

interface BrokenDriverOptions {
  readonly also?: readonly string[];
  readonly capabilities?: Partial<DriverCapabilities>;
  readonly ruleTimeout?: number;
}

type DriverClass = new (store: Store, context: DriverContext) => CacheDriver;

const TABLE = {
  key: {
    variable: 'IMGPROXY_CACHE_BROKEN_KEY',
    type: 'string',
    default: '',
    secret: true,
    doc: 'What no message may show.',
  },
} as const satisfies ConfigTable;

export const SECRET_KEY = 'key-0b3a91';

/** A driver on a store in memory, with all doors to it. */
export function subjectOf(
  driver: DriverClass,
  { capabilities, ruleTimeout }: BrokenDriverOptions = {},
): DriverSubject {
  let store = new Store();
  return {
    definition: defineCacheDriver({
      name: 'broken',
      contract: 1,
      config: TABLE,
      capabilities: { shared: true, ...capabilities },
      create: (_config, context) => new driver(store, context),
    }),
    async prepare() {
      store = new Store();
      const current = store;
      return {
        config: { key: SECRET_KEY },
        foreign: async (name) => void current.foreign.add(name),
        async tamper(name, change) {
          const entry = current.memory.peek(name);
          if (entry !== undefined) current.tampered.set(name, change(entry.body));
        },
        async outage() {
          current.down = true;
        },
        async stall() {
          const { promise, resolve } = Promise.withResolvers<void>();
          current.silence = promise;
          return () => {
            current.silence = undefined;
            resolve();
          };
        },
        async dispose() {
          for (const giveBack of current.litter) giveBack();
        },
      };
    },
    without: { module: 'its store is in the memory of this process' },
    ...(ruleTimeout !== undefined && { ruleTimeout }),
  };
}

export function broken(
  rule: string,
  mistake: string,
  driver: DriverClass,
  options: BrokenDriverOptions = {},
): BrokenDriver {
  return { rule, mistake, also: options.also ?? [], subject: subjectOf(driver, options) };
}
