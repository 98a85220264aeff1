import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CacheDriver,
  type CacheEntry,
  type CacheErrorCode,
  createEntry,
  type DriverEvent,
  type EntryDescription,
} from '@imgproxy-cache/core/driver';
import { ManualClock } from '@imgproxy-cache/driver-testkit';
import s3, { type S3Config, S3Driver, type S3DriverOptions } from '@imgproxy-cache/s3';
import { expect, onTestFinished, vi } from 'vitest';
import { S3Server } from './s3-server.js';

export const RESERVED_NAME = 'images/v1/check';

/** Replaces everything that the environment says of AWS until the test is over. */
export function setEnvironment(variables: Readonly<Record<string, string>> = {}): void {
  for (const name of Object.keys(process.env)) {
    if (/^AWS_|_proxy$/i.test(name)) vi.stubEnv(name, undefined);
  }
  const nowhere = join(tmpdir(), 'imgproxy-cache-no-such-folder');
  const defaults = {
    AWS_CONFIG_FILE: nowhere,
    AWS_SHARED_CREDENTIALS_FILE: nowhere,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  for (const [name, value] of Object.entries({ ...defaults, ...variables })) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

export const TEST_KEYS = { AWS_ACCESS_KEY_ID: 'TESTKEY', AWS_SECRET_ACCESS_KEY: 'test-secret' };

/** Whether this run is about the SDK's own commands. */
const useSdkCommands = process.env['IMGPROXY_CACHE_S3_USE_SDK_COMMANDS'] === 'true';

export function configOf(changes: Partial<S3Config>): S3Config {
  const defaults = Object.entries(s3.config).map(([property, { default: value }]) => [property, value]);
  return { ...(Object.fromEntries(defaults) as S3Config), bucket: 'cache', useSdkCommands, ...changes };
}

export interface OpenDriver {
  readonly driver: S3Driver;
  readonly clock: ManualClock;
  readonly events: DriverEvent[];
}

/** A driver that is closed with the test. */
export function openDriver(changes: Partial<S3Config>, options: S3DriverOptions = {}): OpenDriver {
  const events: DriverEvent[] = [];
  const clock = new ManualClock({ ticking: true });
  const context = {
    report: (event: DriverEvent) => void events.push(event),
    clock,
    reservedName: RESERVED_NAME,
  };
  const driver = new S3Driver(configOf(changes), context, options);
  onTestFinished(() => driver.close());
  return { driver, clock, events };
}

export interface OpenStore extends OpenDriver {
  readonly server: S3Server;
}

/** A server, and a driver with its keys. */
export async function openStore(changes: Partial<S3Config> = {}): Promise<OpenStore> {
  setEnvironment(TEST_KEYS);
  const server = await S3Server.start();
  return { server, ...openDriver({ endpoint: server.url, ...changes }) };
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
    driver: 's3',
    code,
    message: expect.stringMatching(message),
  });
}
