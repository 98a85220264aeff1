import { randomBytes } from 'node:crypto';
import {
  type CacheDriver,
  type ConfigTable,
  type DriverCapabilities,
  type DriverEvent,
  systemClock,
} from '@imgproxy-cache/core/driver';
import type { DriverSubject, OutageCode, PreparedStore, StoreDoors, SubjectGap } from './driver-subject.js';
import { type OperationWatch, WatchedDriver } from './operation-watch.js';
import { askSubject, missingPart, SubjectFault, subjectDoors } from './subject-fault.js';

/** What another process needs to open the store. */
export interface ProcessDoor {
  readonly module: string;
  readonly config: unknown;
  readonly reservedName: string;
}

/** A store made for one rule, and the drivers that the rule opens on it. */
export interface RuleBench {
  /** The first driver on the store. */
  readonly driver: WatchedDriver;
  readonly capabilities: DriverCapabilities;
  /** Whether the driver supports operations that it may declare as limitations. */
  readonly can: { readonly delete: boolean; readonly list: boolean };
  readonly doors: Required<StoreDoors>;
  /** The codes that the driver may give to an outage. */
  readonly outageCodes: readonly OutageCode[];
  /** The optional parts that the subject offers. */
  readonly offers: ReadonlySet<SubjectGap>;
  /** All names of this rule begin with it. */
  readonly prefix: string;
  readonly reservedName: string;
  /** Secret values of the configuration. */
  readonly secrets: readonly string[];
  /** Events that the drivers have reported so far. */
  readonly events: readonly DriverEvent[];
  readonly replay: DriverSubject['replay'];
  /** How another process opens the store. */
  readonly processDoor: ProcessDoor;
  /** The wanted size of a body, or the driver's declared maximum where that is smaller. */
  sizeUpTo(wanted: number): number;
  /** A name that only this rule uses. */
  name(rest: string): string;
  /** Opens another driver on the same store, like another process. */
  open(): WatchedDriver;
}

/**
 * Prepares a store, runs `work` on it, and always closes every driver and disposes of the store. A failure of the
 * clean-up does not hide one of the rule.
 */
export async function withBench<Table extends ConfigTable>(
  subject: DriverSubject<Table>,
  watch: OperationWatch,
  work: (bench: RuleBench) => Promise<void>,
): Promise<void> {
  const store = await askSubject('prepare()', watch, () => subject.prepare());
  const drivers: CacheDriver[] = [];
  const [outcome] = await Promise.allSettled([useBench(subject, store, watch, drivers, work)]);
  // Other rules test whether closing succeeds.
  await Promise.allSettled(drivers.map((driver) => driver.close()));
  const [disposal] = await Promise.allSettled([askSubject('dispose()', watch, () => store?.dispose?.())]);
  for (const ended of [outcome, disposal]) if (ended.status === 'rejected') throw ended.reason;
}

async function useBench<Table extends ConfigTable>(
  { definition, module, replay }: DriverSubject<Table>,
  store: PreparedStore<Table>,
  watch: OperationWatch,
  drivers: CacheDriver[],
  work: (bench: RuleBench) => Promise<void>,
): Promise<void> {
  if (typeof store?.config !== 'object')
    throw new SubjectFault('prepare()', 'gave no store with a configuration');
  const { limitations = {} } = definition.capabilities;
  const folder = `testkit-${randomBytes(6).toString('hex')}`;
  const reservedName = `${folder}/check`;
  const events: DriverEvent[] = [];
  const open = (): WatchedDriver => {
    const context = { clock: systemClock, reservedName, report: (event: DriverEvent) => events.push(event) };
    const driver = new WatchedDriver(definition.create(store.config, context), watch, context);
    drivers.push(driver);
    return driver;
  };
  await work({
    driver: open(),
    capabilities: definition.capabilities,
    can: { delete: limitations.delete === undefined, list: limitations.list === undefined },
    doors: subjectDoors(store, watch),
    outageCodes: store.outageCode === undefined ? UNREACHABLE : [store.outageCode],
    offers: offersOf({ ...store, module }),
    prefix: `${folder}/entries`,
    reservedName,
    secrets: secretsOf(definition.config, store.config),
    events,
    replay,
    get processDoor() {
      if (module === undefined) throw missingPart('module');
      return { module: String(module), config: store.config, reservedName };
    },
    sizeUpTo: (wanted) => Math.min(wanted, definition.capabilities.maxEntryBytes ?? wanted),
    name: (rest) => `${folder}/entries/${rest}`,
    open,
  });
}

const UNREACHABLE = ['ERR_CACHE_UNAVAILABLE', 'ERR_CACHE_TIMEOUT'] as const;

function offersOf(subject: Readonly<Partial<Record<SubjectGap, unknown>>>): ReadonlySet<SubjectGap> {
  const gaps: readonly SubjectGap[] = ['foreign', 'tamper', 'outage', 'stall', 'module'];
  return new Set(gaps.filter((gap) => subject[gap] !== undefined));
}

function secretsOf(table: ConfigTable, values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(table)
    .filter(([, variable]) => variable.secret === true)
    .map(([property]) => String(values[property]))
    .filter((value) => value !== '');
}
