import { CacheError, isCacheError } from './cache-error.js';
import type { CacheDriver, CheckFinding, DriverCheck, DriverContext, OperationOptions } from './contract.js';
import { createEntry, readVerified, verifyName } from './integrity.js';

// A GIF of one pixel, so that the reserved entry is an image like any other.
const PIXEL = Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=', 'base64');

// Another process that checks the same store may delete the entry between this write and this read.
const MOST_ROUNDS = 10;

/** The driver's own check, or {@link checkRoundTrip} if it has none. */
export function checkDriver(
  driver: CacheDriver,
  context: Pick<DriverContext, 'reservedName' | 'clock'>,
  options?: OperationOptions,
): Promise<DriverCheck> {
  return driver.check === undefined ? checkRoundTrip(driver, context, options) : driver.check(options);
}

/**
 * The check of a driver that has none of its own, and the part that all others share: puts, gets, lists and deletes a small image under the reserved name.
 * Reading and writing are required. Without the permission to list or delete the cache still works, and a warning names
 * what does not. Several processes may check the same store at the same time.
 */
export async function checkRoundTrip(
  driver: CacheDriver,
  { reservedName, clock }: Pick<DriverContext, 'reservedName' | 'clock'>,
  options: OperationOptions = {},
): Promise<DriverCheck> {
  const findings: CheckFinding[] = [];
  const attempt = async (
    subject: string,
    level: CheckFinding['level'],
    lost: string,
    operation: () => Promise<void>,
  ): Promise<boolean> => {
    try {
      await operation();
      return true;
    } catch (thrown) {
      const error = isCacheError(thrown)
        ? thrown
        : new CacheError(
            'ERR_CACHE_DRIVER_CONTRACT',
            `${subject} failed with something that is not a CacheError`,
            {
              operation: 'check',
              cause: thrown,
            },
          );
      findings.push({ level, subject, message: `cannot ${subject}: ${error.message}${lost}`, error });
      return false;
    }
  };

  const entry = createEntry({ name: reservedName, contentType: 'image/gif', created: clock.now() }, PIXEL);
  const written = await attempt('write', 'error', '', () => driver.put(reservedName, entry, options));
  if (written) {
    await attempt('read', 'error', '', async () => {
      for (let round = 1; round <= MOST_ROUNDS; round++) {
        await using stored = await driver.get(reservedName, options);
        if (stored !== undefined) {
          verifyName(stored.metadata, reservedName);
          await readVerified(stored, options);
          return;
        }
        await driver.put(reservedName, entry, options);
      }
      throw new CacheError('ERR_CACHE_UNAVAILABLE', 'what was just written is not there', {
        operation: 'check',
      });
    });
    await attempt('list', 'warning', ' (purging a source will not work)', async () => {
      for await (const _name of driver.list(reservedName, options)) break;
    });
    await attempt('delete', 'warning', ' (deleting and purging will not work)', () =>
      driver.delete([reservedName], options),
    );
  }
  return { ok: findings.every((finding) => finding.level !== 'error'), findings };
}
