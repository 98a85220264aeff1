import { randomBytes } from 'node:crypto';
import {
  type CacheDriver,
  type ConfigTable,
  type DriverCapabilities,
  type DriverEvent,
  systemClock,
} from '@imgproxy-cache/core/driver';
import type { DriverSubject, StoreDoors, SubjectGap } from './driver-subject.js';

/** What another process needs to open the same store. */
export interface ProcessDoor {
  readonly module: string;
  readonly config: unknown;
  readonly reservedName: string;
}

/** A store made for one rule, and the drivers that the rule opens on it. */
export interface RuleBench {
  /** The first driver on the store. */
  readonly driver: CacheDriver;
  readonly capabilities: DriverCapabilities;
  readonly doors: Required<StoreDoors>;
  /** What the subject offers of what it may be without. */
  readonly offers: ReadonlySet<SubjectGap>;
  /** With what the names of this rule begin. */
  readonly prefix: string;
  readonly reservedName: string;
  /** Values of the configuration that no message may show. */
  readonly secrets: readonly string[];
  /** What the drivers have reported so far. */
  readonly events: readonly DriverEvent[];
  readonly replay: DriverSubject['replay'];
  /** How another process opens the store. */
  readonly processDoor: ProcessDoor;
  /** A body's size: the one wanted, or the largest that the driver declares where that is smaller. */
  sizeUpTo(wanted: number): number;
  /** A name of this rule alone. */
  name(rest: string): string;
  /** One more driver on the same store, as another process would have it. */
  open(): CacheDriver;
}

/** Prepares a store, lets `work` use it, closes every driver and disposes of the store, whatever happens. */
export async function withBench<Table extends ConfigTable>(
  subject: DriverSubject<Table>,
  work: (bench: RuleBench) => Promise<void>,
): Promise<void> {
  const { definition } = subject;
  const store = await subject.prepare();
  const folder = `testkit-${randomBytes(6).toString('hex')}`;
  const reservedName = `${folder}/check`;
  const drivers: CacheDriver[] = [];
  const events: DriverEvent[] = [];
  const open = (): CacheDriver => {
    const context = { clock: systemClock, reservedName, report: (event: DriverEvent) => events.push(event) };
    const driver = definition.create(store.config, context);
    drivers.push(driver);
    return driver;
  };
  try {
    await work({
      driver: open(),
      capabilities: definition.capabilities,
      doors: {
        foreign: store.foreign ?? missing('foreign'),
        tamper: store.tamper ?? missing('tamper'),
        outage: store.outage ?? missing('outage'),
      },
      offers: offersOf({ ...store, module: subject.module }),
      prefix: `${folder}/entries`,
      reservedName,
      secrets: secretsOf(definition.config, store.config),
      events,
      replay: subject.replay,
      get processDoor() {
        return { module: String(subject.module ?? missing('module')()), config: store.config, reservedName };
      },
      sizeUpTo: (wanted) => Math.min(wanted, definition.capabilities.maxEntryBytes ?? wanted),
      name: (rest) => `${folder}/entries/${rest}`,
      open,
    });
  } finally {
    // Whether closing succeeds is for the rules about it to say.
    await Promise.allSettled(drivers.map((driver) => driver.close()));
    await store.dispose?.();
  }
}

function offersOf(subject: Readonly<Partial<Record<SubjectGap, unknown>>>): ReadonlySet<SubjectGap> {
  const gaps: readonly SubjectGap[] = ['foreign', 'tamper', 'outage', 'module'];
  return new Set(gaps.filter((gap) => subject[gap] !== undefined));
}

function missing(door: string): () => never {
  return () => {
    throw new Error(
      `the subject offers no ${door}: add it, or say under "without" why this store cannot have it`,
    );
  };
}

function secretsOf(table: ConfigTable, values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(table)
    .filter(([, variable]) => variable.secret === true)
    .map(([property]) => String(values[property]))
    .filter((value) => value !== '');
}
