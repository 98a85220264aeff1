import type { StoredObject } from './bucket.js';

/** What a store did, or pretended, that a client can tell from nothing else. */
export interface Change {
  /** Nanoseconds on the machine's clock, the same in all of its processes. */
  readonly at: number;
  readonly name: string;
  /** What is stored under the name from now on; of a lie: what was said to be. */
  readonly object: StoredObject | undefined;
  readonly lie: boolean;
}

/** Objects with their predecessors, and a journal of what happened to them. */
export class JournaledObjects extends Map<string, StoredObject> {
  readonly #previous = new Map<string, StoredObject | undefined>();
  #changes: Change[] = [];

  override set(name: string, object: StoredObject): this {
    this.#replace(name, object);
    return super.set(name, object);
  }

  override delete(name: string): boolean {
    this.#replace(name, undefined);
    return super.delete(name);
  }

  /** What was stored before, as a store that is not consistent may still show it. A lie. */
  stale(name: string): StoredObject | undefined {
    const object = this.#previous.get(name);
    this.#note(name, object, true);
    return object;
  }

  /** Notes that a name was said to be absent. A lie. */
  deny(name: string): void {
    this.#note(name, undefined, true);
  }

  /** What happened since this was last asked, in its order. */
  takeChanges(): readonly Change[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  #replace(name: string, object: StoredObject | undefined): void {
    this.#previous.set(name, this.get(name));
    this.#note(name, object, false);
  }

  #note(name: string, object: StoredObject | undefined, lie: boolean): void {
    this.#changes.push({ at: Number(process.hrtime.bigint()), name, object, lie });
  }
}
