import { Findings } from '../findings.js';
import { Tally } from '../tally.js';
import { type FailedCall, problemOfFailure } from './failure-shape.js';
import { findContradictions, type Sighting } from './sightings.js';
import type { StoredModel } from './stored-model.js';

/** What all drivers of a run did and said. */
export class DriverWatch {
  readonly calls = new Tally();
  readonly contradictions = new Findings();
  readonly misshapen = new Findings();
  /** Failures that were looked at, those of bodies included. */
  failures = 0;
  /** Sightings that were judged. */
  judged = 0;
  /** Operations and bodies under way. */
  running = 0;
  /** Names in all deletes. */
  namesDeleted = 0;
  readonly #sightings: Sighting[] = [];

  see(sighting: Sighting): void {
    this.#sightings.push(sighting);
  }

  noteFailure(thrown: unknown, call: FailedCall): void {
    this.failures += 1;
    const problem = problemOfFailure(thrown, call);
    if (problem !== undefined) this.misshapen.add(problem);
  }

  /** Holds everything that was seen against what was stored. */
  judge(model: StoredModel): void {
    for (const sighting of this.#sightings.splice(0)) {
      this.judged += 1;
      this.contradictions.add(...findContradictions(sighting, model));
    }
  }
}
