/** What a run of a soak is told. */
export interface SoakRun {
  /** Repeats what is asked and what goes wrong; not the moments at which these meet. */
  readonly seed: number;
  readonly operations: number;
  /** Tells a person who waits how far it is. */
  progress(text: string): void;
}

/** Something that must hold at the end of a run. None is about absolute time. */
export interface Judgement {
  /** What must hold. */
  readonly name: string;
  readonly holds: boolean;
  /** What it was judged by. Of one that does not hold: what was found instead. */
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

/**
 * A long run of random operations, judged at its end. `src/soaks/<name>.ts` exports one as `soak`; the file's name is
 * the soak's, and nothing else needs to know of it.
 */
export interface Soak {
  /** What is done to what, in a sentence. */
  readonly title: string;
  /** Operations of a full run. */
  readonly operations: number;
  /** Operations of the short form that the tests run: some seconds. */
  readonly briefOperations: number;
  run(run: SoakRun): Promise<SoakResult>;
}

/** A soak that was run, as it is printed and kept. */
export interface SoakSummary extends SoakResult {
  readonly name: string;
  readonly title: string;
  readonly seed: number;
  readonly operations: number;
  readonly passed: boolean;
}
