import type { CacheDriver, CacheEntry } from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';

/** Does what a memory driver does, and forgets nothing that it was ever asked. */
export class RememberingDriver extends MemoryDriver implements CacheDriver {
  readonly #asked: object[] = [];

  /** How much it remembers. */
  get remembered(): number {
    return this.#asked.length;
  }

  override get(...args: Parameters<MemoryDriver['get']>): ReturnType<MemoryDriver['get']> {
    this.#asked.push(Buffer.from(args[0]), new AbortController().signal, new Promise(() => undefined));
    return super.get(...args);
  }

  override put(name: string, entry: CacheEntry): Promise<void> {
    this.#asked.push(Buffer.from(entry.body));
    return super.put(name, entry);
  }
}
