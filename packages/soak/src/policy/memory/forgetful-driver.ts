import type { CacheDriver, CacheEntry, DriverCheck, StoredEntry } from '@imgproxy-cache/core/driver';

/** Takes everything and keeps nothing: what is still there afterwards is the policy's. */
export class ForgetfulDriver implements CacheDriver {
  async get(_name: string): Promise<StoredEntry | undefined> {
    return undefined;
  }

  async put(_name: string, _entry: CacheEntry): Promise<void> {}

  async delete(_names: readonly string[]): Promise<void> {}

  async *list(_prefix: string): AsyncGenerator<string, void, undefined> {}

  async check(): Promise<DriverCheck> {
    return { ok: true, findings: [] };
  }

  async close(): Promise<void> {}
}
