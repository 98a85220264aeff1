import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../host/host.js';
import { SeededRandom } from '../random.js';
import { Findings, inLanes, Tally } from '../soak.js';

/** What a rendering takes, in milliseconds. */
const RENDERING = 5;

export interface TrafficOptions {
  /** How many images there are. */
  readonly sources: number;
  /** Size of the largest, in bytes. */
  readonly largest: number;
  /** Share of the operations that delete an image. */
  readonly deletions: number;
  /** Operations at a time. */
  readonly lanes: number;
  /** How long each lane rests between two operations, in milliseconds. */
  readonly pause: number;
}

/** Traffic that goes on until it is ended. */
export interface Traffic {
  /** Lets what is under way end, and waits for it. */
  stop(): Promise<void>;
  /** Counts nothing more: the host is about to be killed. */
  abandon(): void;
}

/** Requests and deletions of overlapping images at several hosts, and what came of them. */
export class HostTraffic {
  readonly wrong = new Findings();
  readonly unanswered = new Findings();
  readonly tally = new Tally();

  /** @param operation how the outcomes are counted */
  begin(host: Host, operation: string, seed: number, options: TrafficOptions): Traffic {
    const { sources, largest, deletions, lanes, pause } = options;
    const random = new SeededRandom(seed);
    let isOver = false;
    let isAbandoned = false;
    const count = (outcome: string, many = 1): void => {
      if (!isAbandoned) this.tally.add(operation, outcome, many);
    };
    const fetch = async (source: number): Promise<void> => {
      const image = { source, version: random.uint32(), size: 1 + random.below(largest) };
      const { status, end, problem } = await host.get('cached', image, RENDERING);
      if (isAbandoned) return;
      count('requests');
      if (status.startsWith('hit')) count('hits');
      if (status.includes('detail=queued')) count('stored bytes', image.size);
      if (problem !== undefined) this.wrong.add(`${problem} (${status})`);
      if (end !== 'whole') this.unanswered.add(status);
    };
    const remove = async (source: number): Promise<void> => {
      try {
        count('deletions');
        // The image stays where a deletion fails.
        if (!(await host.delete(source))) count('failed deletions');
      } catch (error) {
        if (!isAbandoned) this.unanswered.add(String(error).slice(0, 200));
      }
    };
    const running = inLanes(lanes, async () => {
      if (isOver) return false;
      const source = random.below(sources);
      await (random.next() < deletions ? remove(source) : fetch(source));
      if (pause > 0) await delay(pause);
      return true;
    });
    return {
      async stop() {
        isOver = true;
        await running;
      },
      abandon() {
        isOver = true;
        isAbandoned = true;
      },
    };
  }
}
