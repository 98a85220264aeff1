import { readConfig } from '@imgproxy-cache/core';
import {
  type CacheDriver,
  type CacheDriverDefinition,
  type ConfigTable,
  readVerified,
  systemClock,
  verifyName,
} from '@imgproxy-cache/core/driver';
import type { Environment } from './caches.js';
import { problemOfImage } from './images.js';

/** Where `check()` writes. */
const RESERVED = 'v1/check';

/** A driver as the environment says, without a cache before it. */
export function openDriver<Table extends ConfigTable>(
  definition: CacheDriverDefinition<Table>,
  env: Environment,
): CacheDriver {
  const { values, faults } = readConfig(definition.config, env);
  if (faults.length > 0) throw new Error(faults.map(({ message }) => message).join('; '));
  return definition.create(values, { clock: systemClock, report: () => undefined, reservedName: RESERVED });
}

/** What is found in a store that nobody writes to. */
export interface StoredEntries {
  readonly entries: number;
  /** Entries that are not what somebody stored, and how so. */
  readonly problems: readonly string[];
}

/** Reads everything that is stored, and verifies it. */
export async function readStoredEntries(driver: CacheDriver): Promise<StoredEntries> {
  const problems: string[] = [];
  let entries = 0;
  for await (const name of driver.list('')) {
    if (name === RESERVED) continue;
    entries += 1;
    const problem = await problemOfEntry(driver, name);
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
  }
  return { entries, problems };
}

async function problemOfEntry(driver: CacheDriver, name: string): Promise<string | undefined> {
  try {
    await using entry = await driver.get(name);
    if (entry === undefined) return 'it is listed and a miss';
    verifyName(entry.metadata, name);
    return problemOfImage(entry.metadata.etag, await readVerified(entry), undefined);
  } catch (error) {
    return String(error).slice(0, 200);
  }
}
