import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { DriverContext, DriverEvent, Environment } from '@imgproxy-cache/core/driver';
import { type HttpTransport, Retries } from '@imgproxy-cache/http-transport';
import type { AwsCredentialIdentity, Logger } from '@smithy/types';
import { toFailure } from '../requests/failures.js';
import { SdkTransport } from '../requests/sdk-transport.js';
import type { S3Config } from '../s3-config.js';
import { profileOf, variableOf } from './aws-environment.js';
import { RenewedCredentials } from './credential-renewal.js';
import { loadCredentials } from './credential-sources.js';
import { type ProviderRetries, providerRetries } from './provider-retries.js';

/** What credentials are fetched with. */
export interface CredentialParts {
  /** The role to assume with the credentials that the environment gives. */
  readonly config: Pick<S3Config, 'assumeRoleArn' | 'assumeRoleExternalId'>;
  /** The variables of AWS. */
  readonly env: Environment;
  /** The region whose STS is asked. */
  region(): Promise<string>;
  readonly transport: HttpTransport;
  readonly logger: Logger;
  readonly context: DriverContext;
  /** Ends the waits between attempts. */
  readonly closing: AbortSignal;
}

// Shown in CloudTrail and in the names of assumed roles.
const SESSION_NAME = 'imgproxy-cache';

/** What the SDK's clients take, marked so that they do not memoize it again. */
type CredentialProvider = (() => Promise<AwsCredentialIdentity>) & { readonly memoized: true };

/** The identity of the driver at S3, one for all regions and requests. */
export class Credentials {
  readonly #parts: CredentialParts;
  readonly #retries: ProviderRetries;
  readonly #base: RenewedCredentials;
  readonly #role: RenewedCredentials | undefined;
  #sts: STSClient | undefined;
  /** For S3 clients. */
  readonly provider: CredentialProvider;

  constructor(parts: CredentialParts) {
    this.#parts = parts;
    this.#retries = providerRetries(new Retries(), parts.closing);
    const { config, context, env } = parts;
    const common = { context, toFailure: (thrown: unknown) => toFailure(thrown, this.reveals) };
    this.#base = new RenewedCredentials((signal) => this.#load(signal), {
      ...common,
      subject: 'the environment',
    });
    if (config.assumeRoleArn !== '') {
      this.#role = new RenewedCredentials((signal) => this.#assume(signal), {
        ...common,
        subject: `the role ${config.assumeRoleArn}`,
      });
    }
    this.provider = asProvider(this.#acting);
    if (hasUnusedKeys(env)) context.report(unusedKeys(profileOf(env)));
  }

  /**
   * Runs a request with valid credentials. If they are refused as expired, they are renewed and it is run once more.
   * @throws CredentialsUnavailableError, and what the request throws
   */
  run<Result>(request: (identity: AwsCredentialIdentity) => Promise<Result>): Promise<Result> {
    return this.#acting.run(request);
  }

  close(): void {
    this.#base.close();
    this.#role?.close();
    this.#sts?.destroy();
  }

  get #acting(): RenewedCredentials {
    return this.#role ?? this.#base;
  }

  /** Whether a text that came over the wire reveals a credential. */
  readonly reveals = (text: string): boolean => {
    const identities = [...this.#base.inUse(), ...(this.#role?.inUse() ?? [])];
    const secrets = identities.flatMap(({ accessKeyId, secretAccessKey, sessionToken }) => [
      accessKeyId,
      secretAccessKey,
      sessionToken,
    ]);
    return [...secrets, this.#parts.config.assumeRoleExternalId].some((secret) => isRevealed(secret, text));
  };

  #load(signal: AbortSignal): Promise<AwsCredentialIdentity> {
    const requestHandler = new SdkTransport(this.#parts.transport, signal);
    return loadCredentials({ ...this.#parts, retries: this.#retries, requestHandler }, signal);
  }

  async #assume(signal: AbortSignal): Promise<AwsCredentialIdentity> {
    const { assumeRoleArn, assumeRoleExternalId } = this.#parts.config;
    const sts = await this.#client();
    const command = new AssumeRoleCommand({
      RoleArn: assumeRoleArn,
      RoleSessionName: SESSION_NAME,
      ...(assumeRoleExternalId !== '' && { ExternalId: assumeRoleExternalId }),
    });
    const answer = await this.#base.run(() => sts.send(command, { abortSignal: signal }));
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
    if (AccessKeyId === undefined || SecretAccessKey === undefined) {
      throw new Error('STS answered AssumeRole without credentials');
    }
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...(SessionToken !== undefined && { sessionToken: SessionToken }),
      ...(Expiration !== undefined && { expiration: Expiration }),
    };
  }

  async #client(): Promise<STSClient> {
    const { env, region, transport, logger } = this.#parts;
    this.#sts ??= new STSClient({
      region: await region(),
      profile: profileOf(env),
      credentials: asProvider(this.#base),
      requestHandler: new SdkTransport(transport),
      ...this.#retries,
      logger,
    });
    return this.#sts;
  }
}

/** Shorter parts of a secret may be words. */
const LEAST_PART = 6;

function isRevealed(secret: string | undefined, text: string): boolean {
  if (secret === undefined || secret === '') return false;
  // In an address it is in lower case.
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
