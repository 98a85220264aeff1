import v8 from 'node:v8';
import vm from 'node:vm';

const gc = exposedCollector();

/** Takes everything that nobody can reach, finalizers' prey included. */
export function collectGarbage(): void {
  gc();
  gc();
}

/** How many objects of a class the heap has. */
export function countObjects(type: NewableFunction): number {
  return v8.queryObjects(type, { format: 'count' });
}

/** What cannot be collected: bytes of the heap and of buffers, promises and signals. */
export interface MemorySample {
  readonly bytes: number;
  readonly promises: number;
  readonly signals: number;
}

export function sampleMemory(): MemorySample {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return { bytes: heapUsed + external, promises: countObjects(Promise), signals: countObjects(AbortSignal) };
}

/** Medians of the middle and of the last third of values in the order they were taken; of less than three, none. */
export function laterThirds(
  values: readonly number[],
): { readonly middle: number; readonly last: number } | undefined {
  const third = Math.floor(values.length / 3);
  if (third === 0) return undefined;
  return { middle: median(values.slice(third, 2 * third)), last: median(values.slice(2 * third)) };
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

function exposedCollector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  return vm.runInNewContext('gc') as () => void;
}
