import type { CacheEntry, OperationOptions, StoredEntry } from '@imgproxy-cache/core/driver';
import { BufferedEntry, CacheError } from '@imgproxy-cache/core/driver';
import { broken } from './broken-driver.js';
import { Handle, OtherEntries, OtherEntry } from './other-entry.js';
import { SoundDriver } from './sound-driver.js';

const OPEN_BODY_BYTES = 2 * 1024 * 1024;

/** Drivers whose bodies cannot be read, or not be given up, as they should. */
export const brokenBodies = [
  broken(
    'stream',
    'streams the first of two chunks',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry): StoredEntry {
        return new (class extends OtherEntry {
          override async *stream(options?: OperationOptions): AsyncGenerator<Uint8Array> {
            for await (const chunk of this.entry.stream(options)) {
              yield chunk;
              if (this.metadata.size < 2 * chunk.length && this.metadata.size > chunk.length) return;
            }
          }
        })(found);
      }
    },
  ),
  broken(
    'chunks-kept',
    'reads every chunk into the same buffer',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry): StoredEntry {
        return new (class extends OtherEntry {
          override async *stream(options?: OperationOptions): AsyncGenerator<Uint8Array> {
            const buffer = Buffer.alloc(64 * 1024);
            for await (const chunk of this.entry.stream(options)) {
              buffer.set(chunk);
              yield buffer.subarray(0, chunk.length);
            }
          }
        })(found);
      }
    },
    { also: ['stream', 'slow-reader', 'aborted-after', 'many-readers', 'model'] },
  ),
  broken(
    'consumed-once',
    'hands out a body as often as one likes',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry): StoredEntry {
        return new (class extends OtherEntry {
          #bytes: Promise<Uint8Array> | undefined;

          override bytes(options?: OperationOptions): Promise<Uint8Array> {
            this.#bytes ??= super.bytes(options);
            return this.#bytes;
          }
        })(found);
      }
    },
  ),
  broken(
    'discard-harmless',
    'refuses to discard twice',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry): StoredEntry {
        return new (class extends OtherEntry {
          #discarded = false;

          override async discard(): Promise<void> {
            if (this.#discarded)
              throw new CacheError('ERR_CACHE_DRIVER_CONTRACT', 'this entry was discarded before');
            this.#discarded = true;
            await super.discard();
          }
        })(found);
      }
    },
  ),
  broken(
    'given-up-not-whole',
    'ends a stream cleanly when its entry is discarded',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry): StoredEntry {
        return new (class extends OtherEntry {
          #discarded = false;

          override async *stream(options?: OperationOptions): AsyncGenerator<Uint8Array> {
            for await (const chunk of this.entry.stream(options)) {
              yield chunk;
              if (this.#discarded) return;
            }
          }

          override discard(): Promise<void> {
            this.#discarded = true;
            return super.discard();
          }
        })(found);
      }
    },
  ),
  broken(
    'unread-released',
    'closes its file when the body is read, and not when it is discarded',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry): StoredEntry {
        if (found.metadata.size < OPEN_BODY_BYTES) return found;
        const handle = new Handle(this.store);
        return new (class extends OtherEntry {
          override bytes(options?: OperationOptions): Promise<Uint8Array> {
            return super.bytes(options).finally(() => handle.close());
          }

          override async *stream(options?: OperationOptions): AsyncGenerator<Uint8Array> {
            try {
              yield* super.stream(options);
            } finally {
              handle.close();
            }
          }
        })(found);
      }
    },
  ),
  broken(
    'half-read-released',
    'closes its file at the end of a stream, and not where it is left',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry): StoredEntry {
        if (found.metadata.size < OPEN_BODY_BYTES) return found;
        const handle = new Handle(this.store);
        return new (class extends OtherEntry {
          override bytes(options?: OperationOptions): Promise<Uint8Array> {
            return super.bytes(options).finally(() => handle.close());
          }

          override async *stream(options?: OperationOptions): AsyncGenerator<Uint8Array> {
            yield* super.stream(options);
            handle.close();
          }

          override discard(): Promise<void> {
            handle.close();
            return super.discard();
          }
        })(found);
      }
    },
  ),
  broken(
    'slow-reader',
    'reads the whole body before its first chunk',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry): StoredEntry {
        return new (class extends OtherEntry {
          override async *stream(options?: OperationOptions): AsyncGenerator<Uint8Array> {
            const chunks: Uint8Array[] = [];
            for await (const chunk of this.entry.stream(options)) chunks.push(chunk.slice());
            for (const chunk of chunks) {
              options?.signal?.throwIfAborted();
              yield chunk;
            }
          }
        })(found);
      }
    },
    { also: ['aborted-reading', 'aborted-during', 'given-up-not-whole'] },
  ),
  broken(
    'metadata-first',
    'reads the whole body in its get',
    class extends SoundDriver {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const found = await super.get(name, options);
        if (found === undefined || found.metadata.size < OPEN_BODY_BYTES) return found;
        const { metadata, verified = false } = found;
        return new BufferedEntry(metadata, (await found.bytes(options)).slice(), verified);
      }
    },
    { also: ['slow-reader'] },
  ),
  broken(
    'own-copy',
    "keeps the caller's own bytes",
    class extends SoundDriver {
      readonly #bodies = new Map<string, Uint8Array>();

      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        await super.put(name, entry, options);
        if (entry.body.length === 5000) this.#bodies.set(name, entry.body);
        else this.#bodies.delete(name);
      }

      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const found = await super.get(name, options);
        const body = this.#bodies.get(name);
        return found && body ? new BufferedEntry(found.metadata, body, false) : found;
      }
    },
    { also: ['model'] },
  ),
  broken(
    'view',
    'takes the beginning of the buffer for the view into it',
    class extends SoundDriver {
      override put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        const { body } = entry;
        const taken = Buffer.isBuffer(body) ? body : new Uint8Array(body.buffer, 0, body.length);
        return super.put(name, { ...entry, body: taken }, options);
      }
    },
  ),
];
