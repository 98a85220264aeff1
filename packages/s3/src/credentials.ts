import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Clock, DriverEvent, Environment } from '@imgproxy-cache/core/driver';
import type { HttpTransport } from '@imgproxy-cache/http-transport';
import type { AwsCredentialIdentity, Logger } from '@smithy/types';
import { profileOf, variableOf } from './aws-environment.js';
import { type CredentialExchange, RenewedCredentials } from './credential-renewal.js';
import { loadCredentials } from './credential-sources.js';
import { toFailure } from './failures.js';
import type { SdkRetries } from './retries.js';
import { SdkTransport } from './sdk-transport.js';

/** A role that is assumed on top of the credentials that the environment gives. */
export interface AssumedRole {
  readonly arn: string;
  /** Blank: none. */
  readonly externalId: string;
}

/** What credentials are got with. */
export interface CredentialParts {
  /** Where the variables of AWS are. */
  readonly env: Environment;
  readonly role: AssumedRole | undefined;
  /** The region whose STS is asked. */
  region(): Promise<string>;
  readonly transport: HttpTransport;
  readonly retries: SdkRetries;
  readonly logger: Logger;
  report(event: DriverEvent): void;
  readonly clock: Clock;
}

// Shown in CloudTrail and in the names of assumed roles.
const SESSION_NAME = 'imgproxy-cache';

/** Codes by which S3 and STS say that a token is past its time. */
const EXPIRED: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
  'RequestExpired',
]);

/** The provider that the SDK's clients take: marked as one that remembers, so that they do not do so again. */
type CredentialProvider = (() => Promise<AwsCredentialIdentity>) & { readonly memoized: true };

/** Who the driver is for S3: one identity for all regions and requests. */
export class Credentials {
  readonly #base: RenewedCredentials;
  readonly #role: RenewedCredentials | undefined;
  readonly #parts: CredentialParts;
  #sts: STSClient | undefined;
  /** For S3 clients. */
  readonly provider: CredentialProvider;

  constructor(parts: CredentialParts) {
    this.#parts = parts;
    const { role } = parts;
    const { report, clock } = parts;
    const tell = this.tell;
    this.#base = new RenewedCredentials((signal) => this.#load(signal), {
      report,
      clock,
      tell,
      subject: 'the environment',
    });
    if (role !== undefined) {
      const exchange: CredentialExchange = (signal) => this.#assume(role, signal);
      this.#role = new RenewedCredentials(exchange, { report, clock, tell, subject: `the role ${role.arn}` });
    }
    this.provider = asProvider(this.#acting);
    if (hasUnusedKeys(parts.env)) report(unusedKeys(profileOf(parts.env)));
  }

  /** What may be told of a failure: nothing in which a store or STS repeats the credentials. */
  readonly tell = (thrown: unknown): Error => toFailure(thrown, this.reveals);

  /** Waits until there are credentials. @throws CredentialsUnavailableError */
  async ready(): Promise<void> {
    await this.#acting.identity();
  }

  /**
   * Runs a request; where the store calls the credentials expired, renews them and runs it once more.
   */
  run<Result>(request: () => Promise<Result>): Promise<Result> {
    return withRenewal(this.#acting, request);
  }

  close(): void {
    this.#base.close();
    this.#role?.close();
    this.#sts?.destroy();
  }

  get #acting(): RenewedCredentials {
    return this.#role ?? this.#base;
  }

  /** Whether a text that came over the wire tells a credential. */
  readonly reveals = (text: string): boolean => {
    const identities = [...this.#base.inUse(), ...(this.#role?.inUse() ?? [])];
    const secrets = identities.flatMap(({ accessKeyId, secretAccessKey, sessionToken }) => [
      accessKeyId,
      secretAccessKey,
      sessionToken,
    ]);
    return [...secrets, this.#parts.role?.externalId].some((secret) => isToldBy(text, secret));
  };

  #load(signal: AbortSignal): Promise<AwsCredentialIdentity> {
    const { transport } = this.#parts;
    return loadCredentials({ ...this.#parts, requestHandler: new SdkTransport(transport, signal) }, signal);
  }

  async #assume(role: AssumedRole, signal: AbortSignal): Promise<AwsCredentialIdentity> {
    const sts = await this.#client();
    const command = new AssumeRoleCommand({
      RoleArn: role.arn,
      RoleSessionName: SESSION_NAME,
      ...(role.externalId === '' ? {} : { ExternalId: role.externalId }),
    });
    const answer = await withRenewal(this.#base, () => sts.send(command, { abortSignal: signal }));
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
    if (AccessKeyId === undefined || SecretAccessKey === undefined) {
      throw new Error('STS answered AssumeRole without credentials');
    }
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }),
      ...(Expiration === undefined ? {} : { expiration: Expiration }),
    };
  }

  async #client(): Promise<STSClient> {
    const { env, region, transport, retries, logger } = this.#parts;
    this.#sts ??= new STSClient({
      region: await region(),
      profile: profileOf(env),
      credentials: asProvider(this.#base),
      requestHandler: new SdkTransport(transport),
      ...retries,
      logger,
    });
    return this.#sts;
  }
}

/** Short ones may be words. */
const LEAST_PART = 6;

function isToldBy(text: string, secret: string | undefined): boolean {
  if (secret === undefined || secret === '') return false;
  // As a part of an address it is in lower case.
  const [short = '', long = ''] = [text.toLowerCase(), secret.toLowerCase()].sort(
    (one, other) => one.length - other.length,
  );
  return short === long || (short.length >= LEAST_PART && long.includes(short));
}

function hasUnusedKeys(env: Environment): boolean {
  return ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].every(
    (name) => variableOf(env, name) !== undefined,
  );
}

function unusedKeys(profile: string): DriverEvent {
  const message = `AWS_PROFILE is ${JSON.stringify(profile)}, so AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not used: unset one or the other`;
  return { kind: 'keys-unused', level: 'warn', message };
}

function asProvider(credentials: RenewedCredentials): CredentialProvider {
  return Object.assign(() => credentials.identity(), { memoized: true as const });
}

async function withRenewal<Result>(
  credentials: RenewedCredentials,
  request: () => Promise<Result>,
): Promise<Result> {
  const used = await credentials.identity();
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof Error && EXPIRED.has(error.name))) throw error;
    if ((await credentials.insteadOf(used)) === undefined) throw error;
    return await request();
  }
}
