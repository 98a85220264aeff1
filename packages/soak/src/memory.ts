import v8 from 'node:v8';
import vm from 'node:vm';
import type { Judgement } from './soak.js';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;
// V8 otherwise drops code that has not run for a while, which would hide growth.
v8.setFlagsFromString('--no-flush-bytecode');

/** How much of each kind a request may leave behind: far less than the smallest object that could be kept for it. */
const GROWTH = { bytes: 32, promises: 0.01, signals: 0.01 } as const;
/** The last third of a run may exceed the middle one by this factor; a few objects more are no growth. */
const FLAT = 1.15;
const FEW = { bytes: 100_000, promises: 100, signals: 100 } as const;

type Kind = keyof typeof GROWTH;
const KINDS = Object.keys(GROWTH) as Kind[];

/** What a process keeps that garbage collection cannot free, sampled in the course of a run. */
export class MemorySamples {
  readonly #samples: (Readonly<Record<Kind, number>> & { readonly requests: number })[] = [];

  get count(): number {
    return this.#samples.length;
  }

  /** @param requests how many there have been so far */
  take(requests: number): void {
    // The second collection frees what finalizers of the first one have released.
    collectGarbage();
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    const [promises, signals] = [Promise, AbortSignal].map((type) =>
      v8.queryObjects(type, { format: 'count' }),
    );
    this.#samples.push({
      requests,
      bytes: heapUsed + external,
      promises: promises ?? 0,
      signals: signals ?? 0,
    });
  }

  /** Compares the halves of a run whose requests are all alike. */
  judgeGrowth(name: string): Judgement {
    const half = Math.floor(this.#samples.length / 2);
    const difference = (kind: Kind | 'requests'): number =>
      this.#median(kind, half) - this.#median(kind, 0, half);
    const each = KINDS.map((kind) => ({ kind, growth: difference(kind) / difference('requests') }));
    return {
      name,
      holds: each.every(({ kind, growth }) => growth < GROWTH[kind]),
      figures: each
        .map(({ kind, growth }) => `${growth.toFixed(3)} ${kind} a request, below ${GROWTH[kind]}`)
        .join(', '),
    };
  }

  /** Compares the last two thirds of a run of mixed requests, in one judgement for each kind. */
  judgeFlatness(): Judgement[] {
    const third = Math.floor(this.#samples.length / 3);
    return KINDS.map((kind) => {
      const name = `${kind === 'bytes' ? 'memory is' : `${kind} are`} flat`;
      if (third === 0) return { name, holds: false, figures: 'the run is too short to tell' };
      const [middle, last] = [this.#median(kind, third, 2 * third), this.#median(kind, 2 * third)];
      const ratio = (last + FEW[kind]) / (middle + FEW[kind]);
      const figures = `last third ${last} ${kind}, middle ${middle}: ${ratio.toFixed(3)}, below ${FLAT}`;
      return { name, holds: ratio < FLAT, figures };
    });
  }

  #median(kind: Kind | 'requests', from: number, to?: number): number {
    return quantile(
      this.#samples.slice(from, to).map((sample) => sample[kind]),
      0.5,
    );
  }
}

/** The value that this share of the values does not exceed; 0 where there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
