import {
  type CacheDriver,
  type CacheEntry,
  checkDriver,
  type DriverCheck,
  type DriverContext,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';

interface Step {
  readonly title: string;
  readonly began: number;
}

/** Records the operations under way, so that the report can name one that hangs. */
export class OperationWatch {
  readonly #running = new Set<Step>();

  /** Records a step until its promise settles. Anything but a promise is returned as it is. */
  note<Outcome>(title: string, outcome: Outcome): Outcome {
    if (!(outcome instanceof Promise)) return outcome;
    const step = { title, began: performance.now() };
    this.#running.add(step);
    const end = (): void => void this.#running.delete(step);
    outcome.then(end, end);
    return outcome;
  }

  /** The operations under way, the oldest first; `undefined` for none. */
  describe(): string | undefined {
    const now = performance.now();
    const steps = [...this.#running].map(
      ({ title, began }) => `${title} (${((now - began) / 1000).toFixed(1)} s)`,
    );
    if (steps.length === 0) return undefined;
    return steps.slice(0, 5).join(', ') + (steps.length > 5 ? ` and ${steps.length - 5} more` : '');
  }
}

/** A driver whose operations are recorded. */
export class WatchedDriver implements CacheDriver {
  readonly #context: DriverContext;
  readonly #driver: CacheDriver;
  readonly #watch: OperationWatch;

  constructor(driver: CacheDriver, watch: OperationWatch, context: DriverContext) {
    this.#driver = driver;
    this.#watch = watch;
    this.#context = context;
  }

  get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
    const found = this.#watch.note(`get of ${name}`, this.#driver.get(name, options));
    if (!(found instanceof Promise)) return found;
    return found.then((entry) => entry && new WatchedEntry(entry, name, this.#watch));
  }

  put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
    return this.#watch.note(`put of ${name}`, this.#driver.put(name, entry, options));
  }

  delete(names: readonly string[], options?: OperationOptions): Promise<void> {
    const title = names.length === 1 ? `delete of ${names[0]}` : `delete of ${names.length} names`;
    return this.#watch.note(title, this.#driver.delete(names, options));
  }

  list(prefix: string, options?: OperationOptions): AsyncIterable<string> {
    return watchedSteps(`list of ${prefix}`, this.#driver.list(prefix, options), this.#watch);
  }

  check(options?: OperationOptions): Promise<DriverCheck> {
    return this.#watch.note('check', checkDriver(this.#driver, this.#context, options));
  }

  close(): Promise<void> {
    return this.#watch.note('close', this.#driver.close());
  }
}

class WatchedEntry implements StoredEntry {
  readonly #entry: StoredEntry;
  readonly #name: string;
  readonly #watch: OperationWatch;

  constructor(entry: StoredEntry, name: string, watch: OperationWatch) {
    this.#entry = entry;
    this.#name = name;
    this.#watch = watch;
  }

  get metadata(): StoredEntry['metadata'] {
    return this.#entry.metadata;
  }

  get verified(): boolean {
    return this.#entry.verified === true;
  }

  bytes(options?: OperationOptions): Promise<Uint8Array> {
    return this.#watch.note(`bytes of ${this.#name}`, this.#entry.bytes(options));
  }

  stream(options?: OperationOptions): AsyncIterable<Uint8Array> {
    return watchedSteps(`stream of ${this.#name}`, this.#entry.stream(options), this.#watch);
  }

  discard(): Promise<void> {
    return this.#watch.note(`discard of ${this.#name}`, this.#entry.discard());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.note(`disposal of ${this.#name}`, this.#entry[Symbol.asyncDispose]());
  }
}

function watchedSteps<Item>(
  title: string,
  items: AsyncIterable<Item>,
  watch: OperationWatch,
): AsyncIterable<Item> {
  return {
    [Symbol.asyncIterator]() {
      const steps = items[Symbol.asyncIterator]();
      return {
        next: () => watch.note(title, steps.next()),
        return: (): Promise<IteratorResult<Item>> => {
          const ended = steps.return?.() ?? Promise.resolve({ done: true, value: undefined });
          return watch.note(`${title}, left early,`, ended);
        },
      };
    },
  };
}
