import type {
  CacheDriverDefinition,
  CacheErrorCode,
  ConfigTable,
  ConfigValues,
} from '@imgproxy-cache/core/driver';

/** What a store may let the suite do behind the driver's back. */
export interface StoreDoors {
  /**
   * Puts an object under a name as a stranger would, who knows nothing of the cache. Perhaps before any driver has
   * used the store.
   */
  foreign?(name: string): Promise<void>;
  /**
   * Replaces the object of an entry, as the store holds it, by what `change` makes of it; where metadata and body are
   * apart, the body.
   */
  tamper?(name: string, change: (stored: Uint8Array) => Uint8Array): Promise<void>;
  /** Makes the store fail for every operation, also of drivers that are open, from now until it is disposed of. */
  outage?(): Promise<void>;
  /**
   * Makes the store take requests and answer none, or begin bodies and not go on with them, as far as that can be
   * brought about: from now until the function that this gives back is called. Drivers on it are open meanwhile.
   */
  stall?(): Promise<() => unknown>;
}

/** A store that was made for one rule: empty, or shared with others that the suite leaves alone. */
export interface PreparedStore<Table extends ConfigTable = ConfigTable> extends StoreDoors {
  /** With what the definition's `create` makes a driver on this store, as often as the suite wants one. */
  readonly config: ConfigValues<Table>;
  /**
   * What the driver must call the outage that `outage()` makes. Default: `ERR_CACHE_UNAVAILABLE` or
   * `ERR_CACHE_TIMEOUT`, as of a server that cannot be reached. `ERR_CACHE_NO_BUCKET` is for a store that is down when
   * its folder is gone.
   */
  readonly outageCode?: OutageCode;
  /** Removes the store. All drivers on it are closed by then. */
  dispose?(): Promise<void>;
}

/** How a store can be down. */
export type OutageCode = Extract<
  CacheErrorCode,
  'ERR_CACHE_UNAVAILABLE' | 'ERR_CACHE_TIMEOUT' | 'ERR_CACHE_NO_BUCKET'
>;

/** What a subject may be without, each time with the reason that the report shows. */
export type SubjectGap = keyof StoreDoors | 'module';

/** The driver that the suite is run on, and how to get at its store. */
export interface DriverSubject<Table extends ConfigTable = ConfigTable> {
  /** The default export of the driver's package. */
  readonly definition: CacheDriverDefinition<Table>;
  /** Makes a store; called once for every rule. */
  prepare(): Promise<PreparedStore<Table>>;
  /**
   * The module whose default export is the definition, as `import.meta.resolve` gives it: a process of its own
   * imports it, and is killed. Only for drivers of a shared store.
   */
  readonly module?: string | URL;
  /** Why the subject does not offer something. What is neither offered nor explained is a failure. */
  readonly without?: Readonly<Partial<Record<SubjectGap, string>>>;
  /** How long one rule may take, in seconds, before the suite says that an operation hangs. Default: 30. */
  readonly ruleTimeout?: number;
  /** Repeats the failure that the rule `model` has reported, with the figures from its message. */
  readonly replay?: { readonly seed: number; readonly path?: string };
}
