import { posix } from 'node:path';
import {
  BufferedEntry,
  type CacheEntry,
  createEntry,
  type EntryMetadata,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { broken } from './broken-driver.js';
import { SoundDriver } from './sound-driver.js';

/** An entry with other metadata than what is stored. */
abstract class OtherMetadata extends SoundDriver {
  override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
    const found = await super.get(name, options);
    if (found === undefined) return undefined;
    const metadata = this.metadataFor(found.metadata, name);
    return metadata === found.metadata ? found : new BufferedEntry(metadata, await found.bytes(), true);
  }

  protected abstract metadataFor(metadata: EntryMetadata, name: string): EntryMetadata;
}

/** A store that is searched by patterns. */
abstract class PatternList extends SoundDriver {
  override async *list(prefix: string, options?: OperationOptions): AsyncGenerator<string> {
    const pattern = this.patternOf(prefix);
    for await (const name of super.list('', options)) if (pattern.test(name)) yield name;
  }

  protected abstract patternOf(prefix: string): RegExp;
}

/** A pattern that cannot be one matches nothing, as with most stores. */
function asPattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    return /$^/;
  }
}

const bytesOf = (entry: CacheEntry | undefined): number => entry?.body.length ?? 0;

/** Drivers whose answers are wrong. */
export const brokenResults = [
  broken(
    'miss',
    'finds what lies below a name',
    class extends SoundDriver {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const below = this.store.memory.names.find((each) => each.startsWith(`${name}/`));
        return super.get(below ?? name, options);
      }
    },
  ),
  broken(
    'hit',
    'takes AVIF for WebP',
    class extends OtherMetadata {
      protected override metadataFor(metadata: EntryMetadata): EntryMetadata {
        return metadata.contentType === 'image/avif' ? { ...metadata, contentType: 'image/webp' } : metadata;
      }
    },
  ),
  broken(
    'overwrite',
    'keeps a large body where an empty one is put in its place',
    class extends SoundDriver {
      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        if (bytesOf(entry) === 0 && bytesOf(this.store.memory.peek(name)) > 200_000) return;
        await super.put(name, entry, options);
      }
    },
  ),
  broken(
    'delete',
    'says of all it deletes that it has, and deletes nothing',
    class extends SoundDriver {
      override async delete(names: readonly string[], options?: OperationOptions): Promise<void> {
        this.admit('delete', options, { failedNames: names });
      }
    },
    { also: ['delete-many', 'check-leaves-nothing', 'failed-names', 'model'] },
  ),
  broken(
    'delete-many',
    'deletes the first hundred names of a call',
    class extends SoundDriver {
      override delete(names: readonly string[], options?: OperationOptions): Promise<void> {
        return super.delete(names.slice(0, 100), options);
      }
    },
  ),
  broken(
    'delete-absent',
    'refuses to delete no names at all',
    class extends SoundDriver {
      override async delete(names: readonly string[], options?: OperationOptions): Promise<void> {
        if (names.length === 0) throw this.error('ERR_CACHE_UNSUPPORTED', 'needs a name', 'delete');
        await super.delete(names, options);
      }
    },
    { also: ['model'] },
  ),
  broken(
    'list-by-prefix',
    'takes every prefix for a folder',
    class extends SoundDriver {
      override list(prefix: string, options?: OperationOptions): AsyncGenerator<string, void, undefined> {
        return super.list(prefix.endsWith('/') ? prefix : `${prefix}/`, options);
      }
    },
    { also: ['list-literal'] },
  ),
  broken(
    'list-literal',
    'passes a prefix to a glob',
    class extends PatternList {
      protected override patternOf(prefix: string): RegExp {
        const glob = prefix
          .replace(/[.+^${}()|]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.');
        return asPattern(`^${glob}`);
      }
    },
  ),
  broken(
    'list-literal',
    'passes a prefix to LIKE',
    class extends PatternList {
      protected override patternOf(prefix: string): RegExp {
        const like = prefix
          .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
          .replaceAll('%', '.*')
          .replaceAll('_', '.');
        return asPattern(`^${like}`);
      }
    },
  ),
  broken(
    'list-literal',
    'takes capital letters for small ones',
    class extends PatternList {
      protected override patternOf(prefix: string): RegExp {
        return new RegExp(`^${prefix.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, 'i');
      }
    },
  ),
  broken(
    'list-many',
    'lists the first page',
    class extends SoundDriver {
      override async *list(prefix: string, options?: OperationOptions): AsyncGenerator<string> {
        let count = 0;
        for await (const name of super.list(prefix, options)) {
          yield name;
          count += 1;
          if (count === 1000) return;
        }
      }
    },
  ),
  broken(
    'list-nothing',
    'fails to list where there is nothing',
    class extends SoundDriver {
      override async *list(prefix: string, options?: OperationOptions): AsyncGenerator<string> {
        let empty = true;
        for await (const name of super.list(prefix, options)) {
          yield name;
          empty = false;
        }
        if (empty) throw this.error('ERR_CACHE_NO_BUCKET', 'found no such folder', 'list');
      }
    },
    { also: ['list-literal', 'model'] },
  ),
  broken(
    'list-foreign',
    "stumbles over a stranger's object",
    class extends SoundDriver {
      override async *list(prefix: string, options?: OperationOptions): AsyncGenerator<string> {
        yield* super.list(prefix, options);
        const inTheWay = [...this.store.foreign].some((name) => name.startsWith(prefix));
        if (inTheWay) throw this.error('ERR_CACHE_CORRUPT', 'found what is no entry', 'list');
      }
    },
  ),
  broken(
    'list-foreign',
    "lists a stranger's objects whose names are none",
    class extends SoundDriver {
      override async *list(prefix: string, options?: OperationOptions): AsyncGenerator<string> {
        yield* super.list(prefix, options);
        for (const name of this.store.foreign) if (name.startsWith(prefix)) yield name;
      }
    },
  ),
  broken(
    'foreign-is-no-hit',
    "serves a stranger's object",
    class extends SoundDriver {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        if (!this.store.foreign.has(name)) return super.get(name, options);
        const { metadata, body } = createEntry(
          { name, contentType: 'image/png', created: 0 },
          new Uint8Array(5),
        );
        return new BufferedEntry(metadata, body, false);
      }
    },
  ),
  broken(
    'seen-by-others',
    'says that it shares its entries and keeps them to itself',
    class extends SoundDriver {
      readonly #own = new MemoryDriver({ maxSize: 2 ** 28, maxEntries: 2000 });

      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const found = await super.get(name, options);
        return this.#own.peek(name) === undefined ? undefined : found;
      }

      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        await super.put(name, entry, options);
        await this.#own.put(name, entry);
      }
    },
    { also: ['foreign-is-no-hit'] },
  ),
  broken(
    'own-name-kept',
    'gives an entry the name that it was asked for',
    class extends OtherMetadata {
      protected override metadataFor(metadata: EntryMetadata, name: string): EntryMetadata {
        return metadata.name === name ? metadata : { ...metadata, name };
      }
    },
  ),
  broken(
    'sizes',
    'takes an empty body for a miss',
    class extends SoundDriver {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const found = await super.get(name, options);
        return found?.metadata.size === 0 ? undefined : found;
      }
    },
    { also: ['overwrite', 'stream', 'model'] },
  ),
  broken(
    'largest-body',
    'refuses what is larger than 16 MiB without having said so',
    class extends SoundDriver {
      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        if (bytesOf(entry) > 2 ** 24) throw this.error('ERR_CACHE_TOO_LARGE', 'had too many bytes', 'put');
        await super.put(name, entry, options);
      }
    },
    { also: ['metadata-first', 'slow-reader'] },
  ),
  broken('largest-body', 'takes more than it has said', SoundDriver, {
    capabilities: { maxEntryBytes: 500_000 },
  }),
  broken(
    'metadata-whole',
    'forgets one of five dimensions',
    class extends OtherMetadata {
      protected override metadataFor(metadata: EntryMetadata): EntryMetadata {
        if (metadata.dimensions?.resultHeight === undefined) return metadata;
        const { resultHeight: _forgotten, ...dimensions } = metadata.dimensions;
        return { ...metadata, dimensions };
      }
    },
  ),
  broken(
    'metadata-absent',
    'keeps an empty ETag',
    class extends OtherMetadata {
      readonly #empty = new Set<string>();

      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        if (entry.metadata.etag === '') this.#empty.add(name);
        await super.put(name, entry, options);
      }

      protected override metadataFor(metadata: EntryMetadata, name: string): EntryMetadata {
        return this.#empty.has(name) ? { ...metadata, etag: '' } : metadata;
      }
    },
  ),
  broken(
    'metadata-odd',
    'trims what a header would trim',
    class extends OtherMetadata {
      protected override metadataFor(metadata: EntryMetadata): EntryMetadata {
        const { lastModified } = metadata;
        return lastModified === undefined ? metadata : { ...metadata, lastModified: lastModified.trim() };
      }
    },
  ),
  broken(
    'metadata-limits',
    'cuts values at 255 bytes',
    class extends OtherMetadata {
      protected override metadataFor(metadata: EntryMetadata): EntryMetadata {
        const { etag } = metadata;
        return etag === undefined ? metadata : { ...metadata, etag: etag.slice(0, 255) };
      }
    },
  ),
  broken(
    'metadata-allow-list',
    'keeps whatever the metadata holds',
    class extends OtherMetadata {
      readonly #cookies = new Map<string, unknown>();

      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        await super.put(name, entry, options);
        if ('set-cookie' in entry.metadata) this.#cookies.set(name, entry.metadata['set-cookie']);
      }

      protected override metadataFor(metadata: EntryMetadata, name: string): EntryMetadata {
        const cookie = this.#cookies.get(name);
        return cookie === undefined ? metadata : Object.assign({ ...metadata }, { 'set-cookie': cookie });
      }
    },
  ),
  broken(
    'metadata-refused',
    'cuts the parameters of a content type',
    class extends SoundDriver {
      override put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        const contentType = entry.metadata.contentType.replace(/;.*/, '');
        return super.put(name, { ...entry, metadata: { ...entry.metadata, contentType } }, options);
      }
    },
    { also: ['metadata-allow-list'] },
  ),
  broken(
    'odd-names',
    'takes "%20" in a name for a blank',
    class extends SoundDriver {
      override put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        return super.put(name.replaceAll('%20', ' '), entry, options);
      }

      override get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        return super.get(name.replaceAll('%20', ' '), options);
      }
    },
  ),
  broken(
    'long-names',
    'keeps the first 255 characters of a name',
    class extends SoundDriver {
      override put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        return super.put(name.slice(0, 255), entry, options);
      }

      override get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        return super.get(name.slice(0, 255), options);
      }
    },
  ),
  broken(
    'no-names',
    'makes a name of what is none',
    class extends SoundDriver {
      override put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        return super.put(posix.normalize(`/${name}`).slice(1), entry, options);
      }
    },
    { also: ['cache-errors'] },
  ),
];
