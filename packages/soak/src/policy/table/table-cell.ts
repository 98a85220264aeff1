import { fileURLToPath } from 'node:url';
import { FakeS3Process, testAuthorityFile } from 'fake-s3';
import { withPatience } from '../../s3/patience.js';
import { driverVariables, type Environment } from '../caches.js';
import { NAMES_VARIABLE } from '../host/host-names.js';
import type { LoadLeft } from '../host/host-orders.js';
import { HostProcess } from '../host/host-process.js';
import { type HostFault, STORE_NAME } from './host-faults.js';
import { HostClient } from './http-client.js';
import { type Pair, TableTraffic } from './table-traffic.js';

/** How long things take, in milliseconds, and what the hosts are told. */
export interface TableSettings {
  /** The deadlines that the caches are held to. */
  readonly deadlines: Readonly<Record<HostFault['deadline'], number>>;
  /** How long a fault lasts after its first deadline. */
  readonly duration: number;
  /** Pairs of requests a second. */
  readonly rate: number;
  /** How long is waited for an answer. */
  readonly patience: number;
  /** How long is waited for recovery. */
  readonly recoveryPatience: number;
  readonly env: Environment;
  /** URL of the module of a mistake that the hosts make. */
  readonly mistake?: string | undefined;
}

/** One cell of the table: a fault, and the circumstances in which it strikes. */
export interface TableCell {
  readonly fault: HostFault;
  readonly wire: 'http' | 'https';
  /** Share of the requests that are for stored images. */
  readonly hits: number;
  /** What rendering takes, in milliseconds. */
  readonly rendering: number;
}

export interface CellResult extends TableCell {
  /** In the order they began; none from a host that has died. */
  readonly pairs: readonly Pair[];
  /** In milliseconds, after the end of the fault. */
  readonly recovery: number | undefined;
  /** What the cache was busy with once it was closed; `undefined` of a host that had died. */
  readonly left: LoadLeft | undefined;
}

/** Lets a fault strike the store of a host, sends it requests and waits for recovery. */
export async function runCell(cell: TableCell, seed: number, settings: TableSettings): Promise<CellResult> {
  await using parts = new CellParts(cell, settings);
  try {
    return { ...cell, ...(await parts.run(seed)) };
  } catch (error) {
    throw new Error(`${describeCell(cell)}: ${String(error)}`, { cause: error });
  }
}

/** A cell in words. */
export function describeCell({ fault, wire, hits, rendering }: TableCell): string {
  return `${fault.name}, ${wire}, ${Math.round(hits * 100)} % hits, rendering ${rendering} ms`;
}

/** What one cell needs. */
class CellParts implements AsyncDisposable {
  readonly #cell: TableCell;
  readonly #settings: TableSettings;
  #store: FakeS3Process | undefined;
  #host: HostProcess | undefined;
  #client: HostClient | undefined;
  #end: (() => Promise<void>) | undefined;

  constructor(cell: TableCell, settings: TableSettings) {
    this.#cell = cell;
    this.#settings = settings;
  }

  async run(seed: number): Promise<Omit<CellResult, keyof TableCell>> {
    const { fault, wire, hits } = this.#cell;
    const { deadlines, duration, rate, recoveryPatience } = this.#settings;
    const store = await FakeS3Process.start({ tls: wire === 'https' });
    this.#store = store;
    const traffic = new TableTraffic({ hits, large: fault.large, rate }, seed);
    let client = await this.#startHost(store);
    if (!(await traffic.warmUp(client, recoveryPatience))) throw new Error('images are no hits before it');
    if (fault.atStart) await this.#endHost();
    this.#end = await fault.strike(store);
    if (fault.atStart) {
      // A host that does not start answers nobody.
      const started = await this.#startHost(store, fault.addresses).catch(() => undefined);
      if (started === undefined) return { pairs: [], recovery: undefined, left: undefined };
      client = started;
    }
    const pairs = await traffic.run(client, deadlines[fault.deadline] + duration);
    await this.#end();
    this.#end = undefined;
    const recovery = await Promise.race([traffic.recover(client, recoveryPatience), this.#host?.ended]);
    return { pairs, recovery, left: await this.#host?.ask('close', undefined).catch(() => undefined) };
  }

  async #startHost(store: FakeS3Process, addresses: readonly string[] = []): Promise<HostClient> {
    const { env, mistake, patience } = this.#settings;
    const isNamed = addresses.length > 0;
    const endpoint = isNamed ? store.endpoint.replace('127.0.0.1', STORE_NAME) : store.endpoint;
    const starting = HostProcess.start({
      env: {
        ...driverVariables('s3', { endpoint }),
        NODE_EXTRA_CA_CERTS: fileURLToPath(testAuthorityFile),
        ...(isNamed && { [NAMES_VARIABLE]: `${STORE_NAME}=${addresses.join()}` }),
        ...env,
      },
      mistake,
    });
    this.#host = await withPatience(starting, patience);
    const port = await this.#host.ask('serve', { rendering: this.#cell.rendering });
    this.#client = new HostClient(port, patience);
    return this.#client;
  }

  async #endHost(): Promise<void> {
    this.#client?.close();
    await this.#host?.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endHost();
    await this.#end?.();
    await this.#store?.kill();
  }
}
