import { ABSENT, type Change, now, versionOf } from './journal.js';

/** One object as it is stored. */
export interface StoredObject {
  readonly body: Buffer;
  /** Its content type and metadata, as they came. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The objects of the only bucket, each with its predecessor, and the journal of what happened to them. */
export class Objects {
  readonly #current = new Map<string, StoredObject>();
  readonly #previous = new Map<string, StoredObject | undefined>();
  #changes: Change[] = [];

  get(name: string): StoredObject | undefined {
    return this.#current.get(name);
  }

  /** What was stored before, as a store that is not consistent may still show it. Told to the journal as a lie. */
  stale(name: string): StoredObject | undefined {
    const object = this.#previous.get(name);
    this.#note(name, object, true);
    return object;
  }

  /** Says that nothing is stored. Told to the journal as a lie. */
  denied(name: string): void {
    this.#note(name, undefined, true);
  }

  put(name: string, object: StoredObject): void {
    this.#replace(name, object);
    this.#current.set(name, object);
  }

  delete(name: string): void {
    this.#replace(name, undefined);
    this.#current.delete(name);
  }

  /** An object that is not the one of this name. */
  other(name: string, chance: number): StoredObject | undefined {
    const others = [...this.#current.keys()].filter((candidate) => candidate !== name);
    return this.#current.get(others[Math.floor(chance * others.length)] ?? '');
  }

  /** Names that begin with `prefix` and come after `after`, in order. */
  names(prefix: string, after: string): string[] {
    return [...this.#current.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
  }

  takeChanges(): readonly Change[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  #replace(name: string, object: StoredObject | undefined): void {
    this.#previous.set(name, this.#current.get(name));
    this.#note(name, object, false);
  }

  #note(name: string, object: StoredObject | undefined, lie: boolean): void {
    const version = object === undefined ? ABSENT : versionOf(object.headers['x-amz-meta-etag']);
    this.#changes.push({ at: now(), name, version, lie });
  }
}
