import type {
  CacheDriverDefinition,
  CacheErrorCode,
  ConfigTable,
  ConfigValues,
} from '@imgproxy-cache/core/driver';

/** Direct access to a store, without the driver. */
export interface StoreDoors {
  /**
   * Stores an object that is not a cache entry under a name. May be called before any driver has used the store.
   */
  foreign?(name: string): Promise<void>;
  /**
   * Replaces the stored object of an entry by the result of `change`. Where metadata and body are stored apart, replaces
   * the body.
   */
  tamper?(name: string, change: (stored: Uint8Array) => Uint8Array): Promise<void>;
  /** Makes every operation on the store fail until it is disposed of, for open drivers too. */
  outage?(): Promise<void>;
  /**
   * Makes the store accept requests without answering them, or stop in the middle of bodies, as far as possible. Drivers
   * are open meanwhile.
   * @returns a function that ends it
   */
  stall?(): Promise<() => unknown>;
}

/** A store for one rule. It may hold other data, which the suite does not touch. */
export interface PreparedStore<Table extends ConfigTable = ConfigTable> extends StoreDoors {
  /** The configuration with which `create` of the definition makes drivers on this store. */
  readonly config: ConfigValues<Table>;
  /**
   * The code that the driver must give to the outage of `outage()`. Default: `ERR_CACHE_UNAVAILABLE` or
   * `ERR_CACHE_TIMEOUT`, for a server that cannot be reached. `ERR_CACHE_NO_BUCKET` is for a missing folder.
   */
  readonly outageCode?: OutageCode;
  /** Removes the store, after all drivers on it have been closed. */
  dispose?(): Promise<void>;
}

/** Codes of an outage. */
export type OutageCode = Extract<
  CacheErrorCode,
  'ERR_CACHE_UNAVAILABLE' | 'ERR_CACHE_TIMEOUT' | 'ERR_CACHE_NO_BUCKET'
>;

/** What a subject may leave out, if it gives a reason for the report. */
export type SubjectGap = keyof StoreDoors | 'module';

/** The driver under test, and access to its store. */
export interface DriverSubject<Table extends ConfigTable = ConfigTable> {
  /** The default export of the driver's package. */
  readonly definition: CacheDriverDefinition<Table>;
  /** Makes a store. Called once for every rule. */
  prepare(): Promise<PreparedStore<Table>>;
  /**
   * URL of the module whose default export is the definition, for example from `import.meta.resolve`. Another process
   * imports it and is killed during a put. Only for drivers of a shared store.
   */
  readonly module?: string | URL;
  /** Why the subject leaves something out. A part that is neither offered nor explained is a failure. */
  readonly without?: Readonly<Partial<Record<SubjectGap, string>>>;
  /** After how many seconds a rule fails because an operation hangs. Default: 30. */
  readonly ruleTimeout?: number;
  /** Repeats a failure of the rule `model`: the values from its message. */
  readonly replay?: { readonly seed: number; readonly path?: string };
}
