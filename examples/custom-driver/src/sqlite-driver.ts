import {
  assertEntryName,
  type CacheDriver,
  type CacheEntry,
  CacheError,
  type DriverContext,
  decodeMetadata,
  encodeMetadata,
  isEntryName,
  type OperationOptions,
  type StoredEntry,
  StreamedEntry,
} from '@imgproxy-cache/core/driver';
import { DatabaseThread } from './database-thread.js';
import { type DatabaseOptions, PAGE_NAMES } from './entry-database.js';

/**
 * Keeps entries in an SQLite database. The calls of `node:sqlite` block; they are made in threads, one that reads and
 * one that writes, so that neither the service nor a look-up ever waits for a store.
 */
export class SqliteDriver implements CacheDriver {
  readonly #context: DriverContext;
  readonly #reading: DatabaseThread;
  readonly #writing: DatabaseThread;

  constructor(options: DatabaseOptions, context: DriverContext) {
    this.#context = context;
    this.#reading = new DatabaseThread(options, (event) => context.report(event));
    this.#writing = new DatabaseThread(options, (event) => context.report(event));
  }

  async get(name: string, { signal }: OperationOptions = {}): Promise<StoredEntry | undefined> {
    const found = await this.#reading.call('get', signal, 'find', name);
    if (found === undefined) return undefined;
    const metadata = decodeMetadata(parseFields(found.fields));
    const chunks = (reading: AbortSignal) => this.#chunks(found.id, metadata.size, reading);
    return new StreamedEntry(metadata, {
      chunks,
      bytes: (reading) => joined(chunks(reading)),
      close: async () => undefined,
    });
  }

  async put(name: string, entry: CacheEntry, { signal }: OperationOptions = {}): Promise<void> {
    assertEntryName(name);
    const fields = JSON.stringify(encodeMetadata(entry.metadata));
    // The thread takes the bytes away from whoever has them here.
    const body = new Uint8Array(entry.body);
    await this.#writing.call('put', signal, 'put', name, fields, body, this.#context.clock.now());
  }

  async delete(names: readonly string[], { signal }: OperationOptions = {}): Promise<void> {
    try {
      await this.#writing.call('delete', signal, 'delete', names, this.#context.clock.now());
    } catch (error) {
      const { code, message, retryable, cause } = error as CacheError;
      const details = { driver: 'sqlite', operation: 'delete', retryable, cause } as const;
      // They are deleted together: none of them is gone.
      throw new CacheError(code, message, { ...details, failedNames: names });
    }
  }

  async *list(prefix: string, { signal }: OperationOptions = {}): AsyncGenerator<string, void, undefined> {
    // In a name there is nothing below the blank and nothing above the tilde.
    const end = `${prefix}\x7f`;
    let names: readonly string[] = [];
    let first = prefix;
    do {
      names = await this.#reading.call('list', signal, 'list', first, end);
      for (const name of names) if (isEntryName(name)) yield name;
      first = `${names.at(-1)} `;
    } while (names.length === PAGE_NAMES);
  }

  async close(): Promise<void> {
    await Promise.all([this.#reading.close(), this.#writing.close()]);
  }

  async *#chunks(id: number, size: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    for (let position = 0, length = 0; length < size; position += 1) {
      const chunk = await this.#reading.call('get', signal, 'readChunk', id, position);
      length += chunk.length;
      yield chunk;
    }
  }
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** Others may write to the database: what the codec gets are strings, and it looks at what they say. */
function parseFields(text: string): Record<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CacheError('ERR_CACHE_CORRUPT', 'the metadata of the entry is not JSON', { cause: error });
  }
  const fields = Object.entries(parsed ?? {});
  return Object.fromEntries(
    fields.filter((field): field is [string, string] => typeof field[1] === 'string'),
  );
}
