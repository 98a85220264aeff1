import v8 from 'node:v8';
import { type MemorySample, sampleMemory } from '../../memory.js';
import type { Judgement } from '../../soak.js';
import { median } from '../latencies.js';

// Else V8 lets go of code that has not run for a while, which would hide that something grows.
v8.setFlagsFromString('--no-flush-bytecode');

/** How much of a kind may be more after each request: far less than the smallest thing that could be kept for one. */
const GROWTH = { bytes: 32, promises: 0.01, signals: 0.01 } as const;

/** Samples of what a process holds, each after so many requests. */
export class MemoryGrowth {
  readonly #samples: { readonly requests: number; readonly memory: MemorySample }[] = [];

  sample(requests: number): void {
    this.#samples.push({ requests, memory: sampleMemory() });
  }

  /** Holds the second half of the run against the first one. */
  judge(name: string): Judgement {
    const kinds = Object.entries(GROWTH) as [keyof typeof GROWTH, number][];
    const grown = kinds.map(([kind, most]) => ({ kind, most, each: this.#growthOf(kind) }));
    return {
      name,
      holds: grown.every(({ each, most }) => each < most),
      figures: grown
        .map(({ kind, each, most }) => `${each.toFixed(3)} ${kind} a request, below ${most}`)
        .join(', '),
    };
  }

  /** By request, from the first to the second half. */
  #growthOf(kind: keyof MemorySample): number {
    const half = Math.floor(this.#samples.length / 2);
    const [first, second] = [this.#samples.slice(0, half), this.#samples.slice(-half)];
    const middle = (samples: typeof first, figure: (sample: (typeof first)[number]) => number): number =>
      median(samples.map(figure));
    const requests = middle(second, (each) => each.requests) - middle(first, (each) => each.requests);
    return (
      (middle(second, ({ memory }) => memory[kind]) - middle(first, ({ memory }) => memory[kind])) / requests
    );
  }
}
