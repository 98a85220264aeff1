import { type Census, surplusSince } from '../held-resources.js';
import type { Judgement } from '../soak.js';
import type { WatchedClock } from '../watched-clock.js';

/** What is left when all drivers are closed and nobody refers to them any more. */
export async function judgeLeftovers(
  before: Census,
  clock: WatchedClock,
  connections: number,
  patience: number,
): Promise<Judgement> {
  const left = [
    ...(await surplusSince(before, patience)),
    ...(connections > 0 ? [`${connections} connections at the store`] : []),
    ...(clock.pending > 0 ? [`${clock.pending} timers of the clock`] : []),
  ];
  const figures =
    left.length === 0 ? 'sockets, descriptors, timers and listeners as before' : left.join(', ');
  return { name: 'close() leaves nothing behind', holds: left.length === 0, figures };
}
