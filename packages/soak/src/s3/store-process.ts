import { setTimeout as delay } from 'node:timers/promises';
import { FakeS3Process } from 'fake-s3';
import type { StoreReport } from './journal.js';

const PAUSE_MS = 50;
const SCRIPT = new URL('faulty-store.js', import.meta.url);

/** The store that goes wrong, in its own process. */
export class StoreProcess {
  readonly endpoint: string;
  readonly #process: FakeS3Process;

  static async start(seed: number): Promise<StoreProcess> {
    return new StoreProcess(await FakeS3Process.start({ module: SCRIPT, argument: seed }));
  }

  private constructor(process: FakeS3Process) {
    this.#process = process;
    this.endpoint = process.endpoint;
  }

  /** From now on this share of the requests goes wrong. */
  async misbehave(share: number): Promise<void> {
    await this.#process.ask('misbehave', share);
  }

  /** What happened since the last report, once no write is under way any more. */
  async report(): Promise<StoreReport> {
    return (await this.#process.ask('report')) as StoreReport;
  }

  /** Waits until no connection is open any more, or patience ends, and says how many are. */
  async disconnected(patience: number): Promise<number> {
    const began = performance.now();
    for (;;) {
      const { connections } = await this.report();
      if (connections === 0 || performance.now() - began > patience) return connections;
      await delay(PAUSE_MS);
    }
  }

  async stop(): Promise<void> {
    await this.#process.kill();
  }
}
