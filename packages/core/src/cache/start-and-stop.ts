import { CacheError, type Clock, type DriverCheck } from '../driver/index.js';
import type { ErrorReporting } from '../resilience/error-reporting.js';
import type { Logger } from '../resilience/logger.js';
import type { Tier } from './tier.js';

export interface StartCheckParts {
  readonly tiers: readonly Tier[];
  readonly reporting: ErrorReporting;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long the start waits for the check, in seconds, unless its failure is reported. */
  readonly timeoutSeconds: number;
  isClosing(): boolean;
}

/**
 * Checks the drivers of all tiers and logs the findings. Unless failures are reported, it waits at most one look-up
 * timeout, and a slower check continues in the background.
 * @throws CacheError the first failure, if the policy reports it
 */
export async function checkAtStart(parts: StartCheckParts): Promise<void> {
  const { tiers, reporting, clock, timeoutSeconds } = parts;
  const unanswered = new Set(tiers);
  let isLate = false;
  const checks = tiers.map((tier) => check(tier, parts, () => isLate).finally(() => unanswered.delete(tier)));
  const failure = Promise.all(checks).then((failures) => failures.find((each) => each !== undefined));
  const late = new CacheError('ERR_CACHE_TIMEOUT', `the check takes longer than ${timeoutSeconds} seconds`, {
    operation: 'check',
  });
  if (!reporting.shouldThrow(late, 'start')) {
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = clock.setTimer(resolve, timeoutSeconds * 1000);
    await Promise.race([failure, timeout]);
    timer.cancel();
    isLate = unanswered.size > 0;
    for (const tier of unanswered) noteLate(tier, late, parts);
    if (isLate) return;
  }
  const error = await failure;
  if (error !== undefined && reporting.shouldThrow(error, 'start')) throw error;
}

/** @returns the failure that makes the tier unusable */
async function check(
  { name, driver }: Tier,
  parts: StartCheckParts,
  isLate: () => boolean,
): Promise<CacheError | undefined> {
  const { findings } = await driver.check().catch(
    (error: CacheError): DriverCheck => ({
      ok: false,
      findings: [{ level: 'error', subject: 'check', message: error.message, error }],
    }),
  );
  if (parts.isClosing()) return undefined;
  for (const { level, subject, message, error } of findings) {
    // The timeout was logged when the start continued without the check.
    if (isLate() && subject === 'check' && error?.code === 'ERR_CACHE_TIMEOUT') continue;
    parts.logger[level === 'error' ? 'error' : 'warn'](
      { driver: name, subject, ...(error !== undefined && { code: error.code }) },
      `cache check: ${message}`,
    );
  }
  return findings.find(({ level }) => level === 'error')?.error;
}

function noteLate({ name, driver }: Tier, error: CacheError, { logger }: StartCheckParts): void {
  driver.noteLateCheck(error);
  logger.warn(
    { driver: name, subject: 'check', code: error.code },
    `cache check: ${error.message}; it goes on in the background while images are served`,
  );
}

/**
 * Waits at most `seconds` until the waiting images are stored, and closes all drivers.
 * @throws CacheError the first failure of a driver
 */
export async function drainAndClose(tiers: readonly Tier[], seconds: number, logger: Logger): Promise<void> {
  const drained = await Promise.all(tiers.map(({ queue }) => queue.close(seconds)));
  const dropped = drained.reduce((sum, count) => sum + count, 0);
  if (dropped > 0) {
    logger.warn(
      { dropped },
      `the cache stopped before ${dropped} images were stored: they will be rendered again (IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS)`,
    );
  }
  const closed = await Promise.allSettled(tiers.map(({ driver }) => driver.close()));
  const failed = closed.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
