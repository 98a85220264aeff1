/** One way of doing the work of a table, opened for one size and closed again. */
export interface Workload {
  /** One operation. Its result is held while memory is measured. */
  run(index: number): unknown | Promise<unknown>;
  close(): Promise<void>;
}

/** A competitor in a table: ours, or a peer with its settings. */
export interface Contestant {
  readonly name: string;
  /** The package's version, or of what Node has built in, Node's. */
  readonly version: string;
  /** What was set, for somebody who doubts. */
  readonly settings: string;
  /** Makes everything ready, outside of what is measured. */
  open(bytes: number): Promise<Workload>;
}

/** A figure that the project wants to reach. */
export interface Goal {
  readonly contestant: string;
  /** The peer whose figure it is divided by; absent: the figure itself counts. */
  readonly peer?: string;
  readonly figure: 'operationsPerSecond' | 'cpuMicroseconds';
  readonly bytes: number;
  readonly inFlight: number;
  readonly atLeast?: number;
  readonly below?: number;
}

/** Operations of one kind, measured side by side. */
export interface Table {
  readonly name: string;
  readonly title: string;
  /** What one operation is. */
  readonly operation: string;
  readonly contestants: readonly Contestant[];
  /** Sizes of the image, in bytes. */
  readonly sizes: readonly number[];
  /** Operations under way at the same time. */
  readonly inFlight: readonly number[];
  readonly goals: readonly Goal[];
}

/** Something that is counted or measured once instead of repeated: prints its own rows. */
export interface Experiment {
  readonly name: string;
  readonly title: string;
  readonly operation: string;
  run(effort: Effort): Promise<ExperimentResult>;
}

export interface ExperimentResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** Each goal in words, and whether it was met. */
  readonly goals: readonly { readonly text: string; readonly met: boolean }[];
}

/** How much work a run takes upon itself. */
export interface Effort {
  readonly rounds: number;
  /** How long one round of one contestant takes, in milliseconds. */
  readonly roundMilliseconds: number;
  /** A factor below 1 for a run that only shows that everything works. */
  readonly scale: number;
}

export const FULL_EFFORT: Effort = { rounds: 5, roundMilliseconds: 400, scale: 1 };
export const SMOKE_EFFORT: Effort = { rounds: 1, roundMilliseconds: 20, scale: 0.02 };
