import { isPromise } from 'node:util/types';
import type { StoreDoors } from './driver-subject.js';
import type { OperationWatch } from './operation-watch.js';

/** A failure of the subject's own functions, not of the driver. */
export class SubjectFault extends Error {
  /** @param part the faulty function or property of the subject */
  constructor(part: string, what: string, cause?: unknown) {
    super(
      `a fault of the test harness, not of the driver: ${part} of the subject ${what}; mend it and run the rule again`,
      { cause },
    );
    this.name = 'SubjectFault';
  }
}

/** Calls a function of the subject, and turns its failure into a {@link SubjectFault}. */
export async function askSubject<Outcome>(
  part: string,
  watch: OperationWatch,
  call: () => Promise<Outcome> | Outcome,
): Promise<Outcome> {
  try {
    const outcome = call();
    if (!isPromise(outcome)) return outcome;
    return await watch.note(`${part} of the test harness, which is not the driver's,`, outcome);
  } catch (thrown) {
    if (thrown instanceof SubjectFault) throw thrown;
    throw new SubjectFault(part, `failed with ${String(thrown)}`, thrown);
  }
}

/** The direct access to a store. A missing function fails when a rule calls it, with a {@link SubjectFault}. */
export function subjectDoors(store: StoreDoors, watch: OperationWatch): Required<StoreDoors> {
  return {
    foreign: (name) => askSubject('foreign()', watch, () => offered(store, 'foreign')(name)),
    outage: () => askSubject('outage()', watch, () => offered(store, 'outage')()),
    async stall() {
      const resume = await askSubject('stall()', watch, () => offered(store, 'stall')());
      if (typeof resume !== 'function')
        throw new SubjectFault('stall()', 'gave no function that ends the silence');
      return () => askSubject('the function that stall() gave', watch, () => resume());
    },
    async tamper(name, change) {
      let changed = false;
      await askSubject('tamper()', watch, () =>
        offered(store, 'tamper')(name, (stored) => {
          changed = true;
          return change(stored);
        }),
      );
      if (!changed) throw new SubjectFault('tamper()', 'did not call the function that changes the bytes');
    },
  };
}

/** The failure for a part that is neither offered nor explained. */
export function missingPart(part: string): SubjectFault {
  return new SubjectFault(part, 'is missing: add it, or say under "without" why this store cannot have it');
}

function offered<Door extends keyof StoreDoors>(store: StoreDoors, door: Door): Required<StoreDoors>[Door] {
  const offer = store[door];
  if (offer === undefined) throw missingPart(`${door}()`);
  // Called as a method: an author may have written the store as a class.
  return offer.bind(store) as Required<StoreDoors>[Door];
}
