import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Load } from '../host/load.js';
import { spread } from '../measure.js';
import type { Experiment } from '../table.js';

const SERVER = new URL('../host/server.js', import.meta.url);
const KINDS = {
  bare: 'node:http, bodies in an array, two fields',
  http: '@imgproxy-cache/http, a hit in memory',
};
const BYTES = 50_000;
const CONNECTIONS = 32;
const GOAL = 0.8;
// A machine's other work takes turns of some tens of milliseconds: many short rounds spread it over both servers.
const TURNS = 6;
const WARM_UP = 4;

interface Round {
  readonly perSecond: number;
  /** Answers in a second of the server's CPU time. */
  readonly perCpuSecond: number;
}

/** A server in a process of its own, and the connections to it. */
class Contestant {
  readonly rounds: Round[] = [];
  readonly #process: ChildProcess;
  readonly #load: Load;

  private constructor(process: ChildProcess, load: Load) {
    this.#process = process;
    this.#load = load;
  }

  static async start(kind: string): Promise<Contestant> {
    const child = fork(SERVER, [kind, String(BYTES)]);
    const [port] = (await once(child, 'message')) as [number];
    return new Contestant(child, await Load.open(port, CONNECTIONS));
  }

  async measure(milliseconds: number): Promise<void> {
    const [cpuBefore, began] = [await this.#cpu(), performance.now()];
    const answers = await this.#load.run(milliseconds);
    const seconds = (performance.now() - began) / 1000;
    const cpuSeconds = ((await this.#cpu()) - cpuBefore) / 1_000_000;
    this.rounds.push({ perSecond: answers / seconds, perCpuSecond: answers / cpuSeconds });
  }

  stop(): void {
    this.#load.close();
    this.#process.disconnect();
  }

  async #cpu(): Promise<number> {
    this.#process.send('cpu');
    const [microseconds] = (await once(this.#process, 'message')) as [number];
    return microseconds;
  }
}

export const host: Experiment = {
  name: 'host',
  title: 'A host over HTTP',
  operation: `An image of ${BYTES} bytes from a server of one process, over ${CONNECTIONS} connections.`,
  async run({ rounds, roundMilliseconds }) {
    const contestants = {
      bare: await Contestant.start('bare'),
      http: await Contestant.start('http'),
    };
    for (let turn = 0; turn < rounds * TURNS + WARM_UP; turn++) {
      for (const contestant of Object.values(contestants)) await contestant.measure(roundMilliseconds / 2);
    }
    const ratios = (figure: keyof Round): number[] =>
      contestants.http.rounds
        .slice(WARM_UP)
        .map(
          (round, index) =>
            round[figure] / (contestants.bare.rounds[index + WARM_UP]?.[figure] ?? Number.NaN),
        );
    const rows = Object.entries(contestants).map(([kind, contestant]) => {
      contestant.stop();
      const figure = (name: keyof Round): string =>
        spread(contestant.rounds.slice(WARM_UP).map((round) => round[name])).median.toFixed(0);
      return [KINDS[kind as keyof typeof KINDS], figure('perSecond'), figure('perCpuSecond')];
    });
    const goals = (['perSecond', 'perCpuSecond'] as const).map((name) => {
      const { median, min, max } = spread(ratios(name));
      const unit = name === 'perSecond' ? 'answers a second' : "answers a second of the server's CPU";
      return {
        text: `${unit}, divided by those of bare node:http, at least ${GOAL}: ${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`,
        met: median >= GOAL,
      };
    });
    return { columns: ['server', 'answers/s', 'answers/CPU s'], rows, goals };
  },
};
