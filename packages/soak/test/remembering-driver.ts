import type { CacheDriver, CacheEntry, DriverCheck } from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';

/** Forgets nothing that it was ever asked, and finishes no store. */
export class RememberingDriver extends MemoryDriver implements CacheDriver {
  readonly #asked: object[] = [];

  override get(...args: Parameters<MemoryDriver['get']>): ReturnType<MemoryDriver['get']> {
    this.#asked.push(Buffer.from(args[0]), new AbortController().signal, new Promise(() => undefined));
    return super.get(...args);
  }

  override put(_name: string, entry: CacheEntry): Promise<void> {
    this.#asked.push(Buffer.from(entry.body));
    return new Promise(() => undefined);
  }

  /** Finds nothing wrong, so that stores are tried again and again. */
  check(): Promise<DriverCheck> {
    return Promise.resolve({ ok: true, findings: [] });
  }
}
