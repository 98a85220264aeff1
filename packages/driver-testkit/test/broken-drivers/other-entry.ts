import { closeSync, openSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EntryMetadata, OperationOptions, StoredEntry } from '@imgproxy-cache/core/driver';
import { SoundDriver, type Store } from './sound-driver.js';

/** An entry that does everything as another one does, for a subclass to do one thing wrong. */
export class OtherEntry implements StoredEntry {
  readonly metadata: EntryMetadata;
  readonly verified: boolean;
  protected readonly entry: StoredEntry;

  constructor(entry: StoredEntry) {
    this.metadata = entry.metadata;
    this.verified = entry.verified === true;
    this.entry = entry;
  }

  bytes(options?: OperationOptions): Promise<Uint8Array> {
    return this.entry.bytes(options);
  }

  stream(options?: OperationOptions): AsyncIterable<Uint8Array> {
    return this.entry.stream(options);
  }

  discard(): Promise<void> {
    return this.entry.discard();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }
}

/** A right driver but for the entries that it hands out. */
export abstract class OtherEntries extends SoundDriver {
  override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
    const found = await super.get(name, options);
    return found && this.entryFor(found, options, name);
  }

  protected abstract entryFor(
    found: StoredEntry,
    options: OperationOptions | undefined,
    name: string,
  ): StoredEntry;
}

/** An open file, which the test closes in the end if nobody did. */
export class Handle {
  #descriptor: number | undefined = openSync(process.execPath, 'r');

  constructor(store: Store) {
    store.litter.push(() => this.close());
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** Lets other operations go on meanwhile. */
export async function turns(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) await nextTurn();
}

// Smaller bodies are left to the rules that are about other things.
export const LARGE_BYTES = 200_000;
