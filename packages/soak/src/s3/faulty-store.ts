/*
 * Scripts the fake S3: it fails as a seed says, and reports what was truly stored when, and which lies a client cannot
 * detect.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { JournaledObjects, type Operation, type Reply, type ServerScript, type WireRequest } from 'fake-s3';
import { SeededRandom } from '../random.js';
import { type Played, STORE_FAULTS, type StoreFault } from './store-faults.js';
import { changeOf, type StoreReport } from './store-model.js';

// Small, so that a listing takes several.
const NAMES_A_PAGE = 50;
const PAUSE = 5;

export const script: ServerScript = (server, seed) => {
  const random = new SeededRandom(Number(seed));
  const objects = new JournaledObjects();
  const struck: Record<string, number> = {};
  const drawn = new WeakMap<WireRequest, () => Reply>();
  let share = 0;
  let pending = 0;
  server.buckets.set('cache', { region: 'us-west-1', objects, pageSize: NAMES_A_PAGE });

  const draw = (operation: Operation): StoreFault | undefined => {
    const strikes = random.next() < share;
    const faults = STORE_FAULTS.filter(({ operations }) => operations.includes(operation));
    return strikes && faults.length > 0 ? random.pick(faults) : undefined;
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
    struck[fault.name] = (struck[fault.name] ?? 0) + 1;
    if ('head' in fault) return fault.head;
    const perform = (): Exclude<Reply, undefined> => server.perform(request);
    drawn.set(request, () => fault.play({ request, objects, chance, perform, later }));
    return undefined;
  };
  server.script = (request) => drawn.get(request)?.();

  return {
    misbehave: (wanted) => {
      share = wanted as number;
    },
    report: async (): Promise<StoreReport> => {
      // An undecided request can still change an object.
      while (server.undecided + pending > 0) await delay(PAUSE);
      return {
        changes: objects.takeChanges().map(changeOf),
        requests: server.received,
        answering: server.answering,
        connections: server.openConnections,
        faults: struck,
      };
    },
  };
};
