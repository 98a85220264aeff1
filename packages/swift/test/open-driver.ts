import {
  type CacheDriver,
  type CacheEntry,
  type CacheErrorCode,
  createEntry,
  type DriverEvent,
  type EntryDescription,
} from '@imgproxy-cache/core/driver';
import { ManualClock } from '@imgproxy-cache/driver-testkit';
import swift, { type SwiftConfig, SwiftDriver, type SwiftDriverOptions } from '@imgproxy-cache/swift';
import { expect, onTestFinished } from 'vitest';
import { FakeSwift, type FakeSwiftOptions } from './fake-swift.js';

export const RESERVED_NAME = 'images/v1/check';

export function configOf(changes: Partial<SwiftConfig>): SwiftConfig {
  const defaults = Object.entries(swift.config).map(([property, { default: value }]) => [property, value]);
  return {
    ...(Object.fromEntries(defaults) as SwiftConfig),
    bucket: 'images',
    username: 'test:tester',
    apiKey: 'testing',
    ...changes,
  };
}

export interface OpenDriver {
  readonly driver: SwiftDriver;
  readonly clock: ManualClock;
  readonly events: DriverEvent[];
}

/** A driver that is closed with the test, with a clock that a test can move ahead. */
export function openDriver(
  changes: Partial<SwiftConfig>,
  options: SwiftDriverOptions = {},
  lookupTimeoutSeconds?: number,
): OpenDriver {
  const events: DriverEvent[] = [];
  const clock = new ManualClock({ ticking: true });
  const context = {
    report: (event: DriverEvent) => void events.push(event),
    clock,
    reservedName: RESERVED_NAME,
    ...(lookupTimeoutSeconds !== undefined && { lookupTimeoutSeconds }),
  };
  const driver = new SwiftDriver(configOf(changes), context, options);
  onTestFinished(() => driver.close());
  return { driver, clock, events };
}

export interface OpenStore extends OpenDriver {
  readonly server: FakeSwift;
}

/** The settings of one version of the authentication at a fake. */
export function authOf(server: FakeSwift, version: 1 | 2 | 3): Partial<SwiftConfig> {
  const path = { 1: '/auth/v1.0', 2: '/v2.0', 3: '/v3' }[version];
  return { authUrl: server.url + path, ...(version > 1 && { tenant: 'demo' }) };
}

/** A server, and a driver that authenticates there by version 1. */
export async function openStore(
  changes: Partial<SwiftConfig> = {},
  options: FakeSwiftOptions = {},
): Promise<OpenStore> {
  const server = await FakeSwift.start(options);
  return { server, ...openDriver({ ...authOf(server, 1), ...changes }) };
}

export function entryOf(
  name: string,
  body: Uint8Array = Buffer.from(`body of ${name}`),
  changes: Partial<EntryDescription> = {},
): CacheEntry {
  return createEntry({ name, contentType: 'image/webp', created: 1_700_000_000_000, ...changes }, body);
}

/** The body of an entry as it is stored now; `undefined` is a miss. */
export async function bodyOf(driver: CacheDriver, name: string): Promise<string | undefined> {
  const entry = await driver.get(name);
  return entry === undefined ? undefined : Buffer.from(await entry.bytes()).toString();
}

export async function namesIn(driver: CacheDriver, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of driver.list(prefix)) names.push(name);
  return names.sort();
}

export async function expectCode(
  operation: Promise<unknown>,
  code: CacheErrorCode,
  message: RegExp = /./,
): Promise<void> {
  await expect(operation).rejects.toMatchObject({
    name: 'CacheError',
    driver: 'swift',
    code,
    message: expect.stringMatching(message),
  });
}
