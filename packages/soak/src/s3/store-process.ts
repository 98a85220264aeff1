import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { StoreOrder, StoreReport } from './faulty-store/journal.js';

const PAUSE_MS = 50;
const MAIN = new URL('faulty-store/main.js', import.meta.url);

/** The store that goes wrong, in its own process. */
export class StoreProcess {
  readonly endpoint: string;
  readonly #process: ChildProcess;

  static async start(seed: number): Promise<StoreProcess> {
    const child = fork(MAIN, [String(seed)]);
    const [port] = (await once(child, 'message')) as [number];
    return new StoreProcess(child, port);
  }

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  /** From now on this share of the requests goes wrong. */
  misbehave(share: number): void {
    this.#tell({ order: 'misbehave', share });
  }

  /** What happened since the last report, once no write is under way any more. */
  async report(): Promise<StoreReport> {
    const answer = once(this.#process, 'message');
    this.#tell({ order: 'report' });
    const [report] = (await answer) as [StoreReport];
    return report;
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
    const exit = once(this.#process, 'exit');
    this.#process.disconnect();
    await exit;
  }

  #tell(order: StoreOrder): void {
    this.#process.send(order);
  }
}
