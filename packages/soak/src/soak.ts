/** The options of a run. */
export interface SoakRun {
  /** Repeats the operations and the faults, but not their timing. */
  readonly seed: number;
  readonly operations: number;
  /** Reports progress to the person who waits. */
  progress(text: string): void;
}

/** A condition that must hold at the end of a run. None is about absolute time. */
export interface Judgement {
  readonly name: string;
  readonly holds: boolean;
  /** The figures behind it, or what was found against it. */
  readonly figures: string;
}

/** How often an operation ended in which way. */
export interface Outcome {
  readonly operation: string;
  readonly outcome: string;
  readonly count: number;
}

export interface SoakResult {
  readonly outcomes: readonly Outcome[];
  readonly judgements: readonly Judgement[];
  /** More figures, in Markdown. */
  readonly appendix?: string;
  /** The same for programs. */
  readonly figures?: readonly object[];
}

/** A long run of random operations, judged at its end. */
export interface Soak {
  /** One sentence: which operations, on what. */
  readonly title: string;
  /** Operations of a full run. */
  readonly operations: number;
  /** Operations of the short run in the tests. */
  readonly briefOperations: number;
  run(run: SoakRun): Promise<SoakResult>;
}

const SHOWN = 5;

/** Everything that was found against one judgement. All findings are counted; the first few are shown. */
export class Findings {
  #count = 0;
  readonly #shown: string[] = [];

  add(...findings: readonly string[]): void {
    this.#count += findings.length;
    this.#shown.push(...findings.slice(0, Math.max(0, SHOWN - this.#shown.length)));
  }

  /** @param figures shows how much was examined */
  judge(name: string, figures: string): Judgement {
    if (this.#count === 0) return { name, holds: true, figures };
    return { name, holds: false, figures: `${this.#count} found (${figures}): ${this.#shown.join('; ')}` };
  }
}

/** Counts outcomes by operation and kind. */
export class Tally {
  readonly #counts = new Map<string, Map<string, number>>();

  add(operation: string, outcome: string, count = 1): void {
    const counts = this.#counts.get(operation) ?? new Map<string, number>();
    this.#counts.set(operation, counts.set(outcome, (counts.get(outcome) ?? 0) + count));
  }

  count(operation: string, outcome?: string): number {
    const counts = this.#counts.get(operation) ?? new Map<string, number>();
    if (outcome !== undefined) return counts.get(outcome) ?? 0;
    return [...counts.values()].reduce((sum, count) => sum + count, 0);
  }

  outcomes(): Outcome[] {
    return [...this.#counts].flatMap(([operation, counts]) =>
      [...counts].sort().map(([outcome, count]) => ({ operation, outcome, count })),
    );
  }
}

/** Runs `work` in so many lanes at a time until it returns false in each. */
export async function inLanes(lanes: number, work: () => Promise<boolean>): Promise<void> {
  const lane = async (): Promise<void> => {
    while (await work());
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
