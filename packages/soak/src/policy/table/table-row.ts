import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeS3Process } from 'fake-s3';
import { type CacheUse, driverVariables, type Environment } from '../caches.js';
import { type Fault, FaultNotPossible } from '../faults/fault.js';
import type { LoadLeft, Measurement } from '../host/host-orders.js';
import { HostProcess } from '../host/host-process.js';
import { inNetworkOf, OBSTACLES, ON_OWN_NETWORK, onOwnDisk } from '../namespaces.js';

/** How long things take, in milliseconds, and what the hosts are told. */
export interface TableSettings {
  /** How long a fault lasts, at least. */
  readonly duration: number;
  /** The look-up deadline that the caches are held to. */
  readonly deadline: number;
  /** How long is waited for an answer. */
  readonly patience: number;
  /** How long is waited for recovery. */
  readonly recoveryPatience: number;
  readonly env: Environment;
  /** URL of the module of a mistake that the hosts make. */
  readonly mistake?: string | undefined;
}

// Else all that is known would be in memory, and nothing be asked of the store that goes wrong.
const SMALL_FIRST_TIER: Readonly<Partial<Record<CacheUse, Environment>>> = {
  'memory,fs': { IMGPROXY_CACHE_MEMORY_MAX_ENTRIES: '16' },
  'memory,s3': { IMGPROXY_CACHE_MEMORY_MAX_ENTRIES: '16' },
};

/** One fault of the store of one cache. */
export interface TableRow {
  readonly use: CacheUse;
  readonly fault: Fault;
  readonly result: RowResult | { readonly obstacle: string };
}

export interface RowResult {
  readonly measurement: Measurement;
  /** In milliseconds, after the end of the fault. */
  readonly recovery: number | undefined;
  /** What the cache was busy with once it was closed. */
  readonly left: LoadLeft;
}

/** Lets a fault strike the store of a cache, measures and waits for recovery. */
export async function runRow(use: CacheUse, fault: Fault, settings: TableSettings): Promise<TableRow> {
  const obstacle = fault.needs && OBSTACLES[fault.needs];
  if (obstacle !== undefined) return { use, fault, result: { obstacle } };
  await using row = new RowParts(use, fault, settings);
  try {
    return { use, fault, result: await row.run() };
  } catch (error) {
    if (error instanceof FaultNotPossible) return { use, fault, result: { obstacle: error.message } };
    throw new Error(`${use}, ${fault.name}: ${String(error)}`, { cause: error });
  }
}

/** What one row of the table needs. */
class RowParts implements AsyncDisposable {
  readonly #use: CacheUse;
  readonly #fault: Fault;
  readonly #settings: TableSettings;
  #disk: string | undefined;
  #store: FakeS3Process | undefined;
  #host: HostProcess | undefined;

  constructor(use: CacheUse, fault: Fault, settings: TableSettings) {
    this.#use = use;
    this.#fault = fault;
    this.#settings = settings;
  }

  async run(): Promise<RowResult> {
    const { duration, deadline, patience, recoveryPatience } = this.#settings;
    const host = await this.#start();
    if (!(await host.ask('store', { patience }))) throw new Error('images are no hits before the fault');
    const end = await this.#fault.strike({
      use: this.#use,
      host,
      deadline,
      store: this.#store,
      disk: this.#disk,
    });
    const measurement = await host.ask('measure', {
      duration,
      deadline,
      patience,
      opens: this.#fault.opens,
    });
    await end();
    const recovery = await host.ask('recover', { patience: recoveryPatience });
    return { measurement, recovery, left: await host.ask('close', undefined) };
  }

  async #start(): Promise<HostProcess> {
    const { needs, mount = '' } = this.#fault;
    const hasFiles = this.#use.includes('fs');
    if (hasFiles) this.#disk = await mkdtemp(join(tmpdir(), 'imgproxy-cache-soak-'));
    if (this.#use.includes('s3')) {
      this.#store = await FakeS3Process.start({ within: needs === 'network' ? ON_OWN_NETWORK : [] });
    }
    const variables = driverVariables(this.#use, { folder: this.#disk, endpoint: this.#store?.endpoint });
    const within =
      needs === 'network' && this.#store !== undefined
        ? inNetworkOf(this.#store.pid)
        : needs === 'disk' && this.#disk !== undefined
          ? onOwnDisk(this.#disk, mount)
          : [];
    this.#host = await HostProcess.start({
      env: { ...variables, ...SMALL_FIRST_TIER[this.#use], ...this.#settings.env },
      within,
      mistake: this.#settings.mistake,
    });
    return this.#host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host?.kill();
    await this.#store?.kill();
    if (this.#disk !== undefined) await rm(this.#disk, { recursive: true });
  }
}
