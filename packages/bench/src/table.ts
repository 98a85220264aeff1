/** One way of doing the work of a table, opened for one size and closed again. */
export interface Workload {
  /** One operation. */
  run(index: number): unknown | Promise<unknown>;
  /** How many requests the store has received so far, where there is a store that can tell. */
  wireRequests?(): Promise<number>;
  close(): Promise<void>;
}

/** A competitor in a table: ours, or a peer with its settings. */
export interface Contestant {
  readonly name: string;
  /** The package's version, or of what Node has built in, Node's. */
  readonly version: string;
  /** What was set, for somebody who doubts. */
  readonly settings: string;
  /** Makes everything ready, outside of what is measured. @param scale that of the {@link Effort} */
  open(bytes: number, scale: number): Promise<Workload>;
}

/** What is measured in one round. */
export interface Round {
  readonly operationsPerSecond: number;
  /** Per second of CPU time of the process, all its threads. */
  readonly operationsPerCpuSecond: number;
  /** CPU time of the process for one operation, all its threads. */
  readonly cpuMicroseconds: number;
  /** Garbage collections of the young generation in a thousand operations. */
  readonly youngCollections: number;
  /** Garbage collections of the whole heap in a thousand operations. */
  readonly fullCollections: number;
}

/** A figure that the project wants to reach. */
export interface Goal {
  readonly contestant: string;
  /** The peer whose figure it is divided by. */
  readonly peer: string;
  readonly figure: 'operationsPerSecond' | 'operationsPerCpuSecond' | 'cpuMicroseconds';
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
  /** What it takes upon itself instead of what the run says, where that would take too long. */
  readonly effort?: Partial<Effort>;
  /** Why it cannot be run here, in words that say what mends it; absent or `undefined`: it can. */
  readonly obstacle?: () => string | undefined;
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
  /** A factor below 1 for a run that only shows that everything works, on the first cell of each table. */
  readonly scale: number;
}

export const FULL_EFFORT: Effort = { rounds: 5, roundMilliseconds: 300, scale: 1 };
export const SMOKE_EFFORT: Effort = { rounds: 1, roundMilliseconds: 20, scale: 0.02 };
