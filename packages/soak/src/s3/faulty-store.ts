/*
 * Makes the fake S3 go wrong as a seed says, and report what was truly stored when, and the lies that nobody could see
 * through.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { JournaledObjects, type Operation, type Reply, type ServerScript, type WireRequest } from 'fake-s3';
import { SeededRandom } from '../seeded-random.js';
import { changeOf, type StoreReport } from './journal.js';
import { FAULTS, type Played, type StoreFault } from './store-faults.js';

// Small, so that a listing takes several.
const NAMES_A_PAGE = 50;
const PAUSE_MS = 5;

export const script: ServerScript = (server, seed) => {
  const random = new SeededRandom(Number(seed));
  const objects = new JournaledObjects();
  const faults: Record<string, number> = {};
  const drawn = new WeakMap<WireRequest, () => Reply>();
  let share = 0;
  let pending = 0;
  server.buckets.set('soak', { region: 'us-west-1', objects, pageSize: NAMES_A_PAGE });

  const draw = (operation: Operation): StoreFault | undefined => {
    const strikes = random.next() < share;
    const [first, ...others] = FAULTS.filter(({ operations }) => operations.includes(operation));
    return strikes && first !== undefined ? random.pick([first, ...others]) : undefined;
  };
  const later: Played['later'] = (milliseconds, action) => {
    pending += 1;
    setTimeout(() => {
      pending -= 1;
      action();
    }, milliseconds);
  };
  server.scriptHead = (request) => {
    const chance = random.next();
    const fault = draw(request.operation);
    if (fault === undefined) return undefined;
    faults[fault.name] = (faults[fault.name] ?? 0) + 1;
    if (fault.strikesHead !== undefined) return fault.strikesHead;
    const perform = (): Exclude<Reply, undefined> => server.perform(request);
    drawn.set(request, () => fault.play({ request, objects, perform, later }, chance));
    return undefined;
  };
  server.script = (request) => drawn.get(request)?.();

  return {
    misbehave: (wanted) => {
      share = wanted as number;
    },
    report: async (): Promise<StoreReport> => {
      // What is not decided yet could still change an object.
      while (server.undecided + pending > 0) await delay(PAUSE_MS);
      return {
        changes: objects.takeChanges().map(changeOf),
        requests: server.received,
        answering: server.answering,
        connections: server.openConnections,
        faults,
      };
    },
  };
};
