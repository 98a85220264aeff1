import {
  type CacheDriver,
  type CheckFinding,
  checkRoundTrip,
  type DriverCheck,
  type DriverContext,
} from '@imgproxy-cache/core/driver';
import type { Session } from './authentication/session.js';
import type { SwiftConfig } from './swift-config.js';

/**
 * Finds out what works, and what to do about the rest.
 * @param session gives the session at hand, after the round trip
 */
export async function checkSwift(
  driver: CacheDriver,
  context: DriverContext,
  { authUrl, region }: SwiftConfig,
  session: () => Session | undefined,
  signal: AbortSignal,
): Promise<DriverCheck> {
  const { ok, findings } = await checkRoundTrip(driver, context, { signal });
  const { regions = [], storage } = session() ?? {};
  const more: CheckFinding[] = [];
  if (region === '' && regions.length > 1) {
    const message = `the catalogue has the object store in ${regions.join(', ')}, and the first is used: set IMGPROXY_CACHE_SWIFT_REGION to the region of the container`;
    more.push({ level: 'warning', subject: 'region', message });
  }
  if (authUrl.startsWith('https:') && storage?.origin.startsWith('http:')) {
    const message =
      'the identity service speaks https and gives a storage URL of http, so that the token and the images travel unencrypted: ask the operator of the cloud for an endpoint of https';
    more.push({ level: 'warning', subject: 'encryption', message });
  }
  return { ok, findings: [...findings, ...more] };
}
