import {
  type CacheDriver,
  type CheckFinding,
  checkRoundTrip,
  type DriverCheck,
  type DriverContext,
} from '@imgproxy-cache/core/driver';
import type { BucketRegion } from './region/bucket-region.js';
import type { BucketClients } from './requests/bucket-clients.js';
import { obstacleToVirtualHost, type S3Target } from './requests/endpoint.js';
import { isRefusedPermission, policyLine } from './requests/s3-errors.js';

// Beyond this S3 refuses signatures: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
const TOLERATED_SKEW = 15 * 60_000;

/** What is checked. */
export interface S3CheckParts {
  readonly driver: CacheDriver;
  readonly target: S3Target;
  readonly context: DriverContext;
  readonly region: BucketRegion;
  readonly clients: BucketClients;
  /** `AWS_DEFAULT_REGION`, if nothing else names a region. */
  readonly ignoredRegion: string | undefined;
  /** Asks for an object that does not exist, and rejects if the store does not say so. */
  askForAbsent(name: string, signal: AbortSignal): Promise<void>;
}

/** Finds out what does not work, and what to do about it. */
export class S3Check {
  readonly #parts: S3CheckParts;
  #absenceIsRefused = false;

  constructor(parts: S3CheckParts) {
    this.#parts = parts;
  }

  /** Whether the store answered 403 for an object that does not exist. */
  get absenceIsRefused(): boolean {
    return this.#absenceIsRefused;
  }

  async run(signal: AbortSignal): Promise<DriverCheck> {
    const { driver, context } = this.#parts;
    const { ok, findings } = await checkRoundTrip(driver, context, { signal });
    const more = [
      ...(ok ? await this.#findAbsence(signal) : []),
      ...(await this.#findRegion()),
      ...this.#findAddressing(),
      ...(await this.#findClock()),
    ];
    return { ok, findings: [...findings, ...more] };
  }

  /** Without the permission to list, S3 denies access to an object that does not exist. */
  async #findAbsence(signal: AbortSignal): Promise<CheckFinding[]> {
    const { context, target } = this.#parts;
    this.#absenceIsRefused = await this.#isAbsenceRefused(`${context.reservedName}-absent`, signal);
    if (!this.#absenceIsRefused) return [];
    const message = `without the right to list the bucket, S3 denies access to images that are not there: a denied read counts as a miss from now on. Add ${policyLine('list', target.bucket)} to the policy to tell them apart`;
    return [{ level: 'warning', subject: 'list', message }];
  }

  async #isAbsenceRefused(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#parts.askForAbsent(name, signal);
      return false;
    } catch (error) {
      return isRefusedPermission(error);
    }
  }

  async #findRegion(): Promise<CheckFinding[]> {
    const { region, ignoredRegion } = this.#parts;
    const configured = await region.configured();
    const current = await region.current();
    const findings: CheckFinding[] = [];
    if (ignoredRegion !== undefined && ignoredRegion !== configured) {
      const message = `AWS_DEFAULT_REGION is ${JSON.stringify(ignoredRegion)}, which the AWS SDK for JavaScript does not read: requests begin at ${configured}; set AWS_REGION or IMGPROXY_CACHE_S3_REGION instead`;
      findings.push({ level: 'warning', subject: 'region', message });
    }
    if (current === configured) return findings;
    const message = `the bucket ${this.#parts.target.bucket} is in ${current}, and requests begin at ${configured}: set IMGPROXY_CACHE_S3_REGION=${current} to save the detour after every start`;
    return [...findings, { level: 'warning', subject: 'region', message }];
  }

  #findAddressing(): CheckFinding[] {
    const obstacle = obstacleToVirtualHost(this.#parts.target);
    if (obstacle === undefined) return [];
    const message = `IMGPROXY_CACHE_S3_ENDPOINT_USE_PATH_STYLE is false, but ${obstacle}: the bucket is addressed as endpoint/bucket all the same`;
    return [{ level: 'warning', subject: 'endpoint', message }];
  }

  async #findClock(): Promise<CheckFinding[]> {
    const { sdk } = this.#parts.clients.at(await this.#parts.region.current());
    const offset = sdk.config.systemClockOffset;
    if (Math.abs(offset) < TOLERATED_SKEW) return [];
    const minutes = Math.round(Math.abs(offset) / 60_000);
    const message = `this machine's clock is ${minutes} minutes ${offset > 0 ? 'behind' : 'ahead of'} the store's: requests are signed with the store's time; set the clock, by NTP best`;
    return [{ level: 'warning', subject: 'clock', message }];
  }
}
