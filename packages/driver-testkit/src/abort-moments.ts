import { setImmediate as nextTurn } from 'node:timers/promises';

/** Moments at which an operation is aborted: at once, or some microtasks or turns of the event loop later. */
export const ABORT_MOMENTS: readonly { readonly title: string; wait(): Promise<void> }[] = [
  { title: 'at once', wait: () => Promise.resolve() },
  ...[2, 5, 12].map((count) => ({ title: `after ${count} microtasks`, wait: () => microtasks(count) })),
  ...[1, 2, 3, 5, 8, 13].map((count) => ({ title: `after ${count} turns`, wait: () => turns(count) })),
];

async function microtasks(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) await undefined;
}

/** Waits for turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) await nextTurn();
}

/** Begins an operation, and aborts it at a moment. @returns its outcome */
export async function abortedAt<Value>(
  moment: (typeof ABORT_MOMENTS)[number],
  operation: (signal: AbortSignal) => Promise<Value>,
): Promise<PromiseSettledResult<Value>> {
  const controller = new AbortController();
  const settled = Promise.allSettled([operation(controller.signal)]);
  await moment.wait();
  controller.abort();
  const [outcome] = await settled;
  return outcome;
}
