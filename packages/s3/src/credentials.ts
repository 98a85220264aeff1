import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import type { Clock, DriverEvent } from '@imgproxy-cache/core/driver';
import type { HttpHandlerUserInput } from '@smithy/core/protocols';
import type { AwsCredentialIdentity, Logger } from '@smithy/types';
import { type CredentialExchange, RenewedCredentials } from './credential-renewal.js';
import type { SdkRetries } from './retries.js';

/** A role that is assumed on top of the credentials that the environment gives. */
export interface AssumedRole {
  readonly arn: string;
  /** Blank: none. */
  readonly externalId: string;
}

/** What credentials are got with. */
export interface CredentialParts {
  readonly role: AssumedRole | undefined;
  /** The region whose STS is asked. */
  region(): Promise<string>;
  readonly requestHandler: HttpHandlerUserInput;
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
    this.#base = new RenewedCredentials(() => loadFromEnvironment(parts), {
      ...parts,
      subject: 'the environment',
    });
    if (role !== undefined) {
      const exchange: CredentialExchange = (signal) => this.#assume(role, signal);
      this.#role = new RenewedCredentials(exchange, { ...parts, subject: `the role ${role.arn}` });
    }
    this.provider = asProvider(this.#acting);
  }

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
    const { region, requestHandler, retries, logger } = this.#parts;
    this.#sts ??= new STSClient({
      region: await region(),
      credentials: asProvider(this.#base),
      requestHandler,
      ...retries,
      logger,
    });
    return this.#sts;
  }
}

// A chain of its own for every exchange: the SDK's remembers, and so it would a load that hangs.
function loadFromEnvironment({ logger, requestHandler }: CredentialParts): Promise<AwsCredentialIdentity> {
  return fromNodeProviderChain({ ignoreCache: true, logger, clientConfig: { requestHandler } })();
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
