import { fromIni, fromInstanceMetadata, fromTokenFile } from '@aws-sdk/credential-providers';
import type { Environment } from '@imgproxy-cache/core/driver';
import { type ParsedIniData, ProviderError, parseKnownFiles } from '@smithy/core/config';
import type { AwsCredentialIdentity, Logger } from '@smithy/types';
import type { SdkTransport } from '../requests/sdk-transport.js';
import { profileOf, variableOf } from './aws-environment.js';
import { fetchContainerCredentials } from './container-credentials.js';
import { NoCredentialsError } from './no-credentials-error.js';
import type { ProviderRetries } from './provider-retries.js';

/** What the search for credentials needs. */
export interface CredentialSourceParts {
  /** The variables of AWS. */
  readonly env: Environment;
  /** The region whose STS is asked, unless the profile names another. */
  region(): Promise<string>;
  readonly requestHandler: SdkTransport;
  readonly retries: ProviderRetries;
  readonly logger: Logger;
}

// The instance's metadata service answers within milliseconds or not at all.
const METADATA_TIMEOUT = 1_000;
const METADATA_ATTEMPTS = 2;

const PROFILE_NEEDS =
  'it needs aws_access_key_id and aws_secret_access_key, role_arn with source_profile or credential_source, sso_session, or credential_process';

/** A source of credentials. If it has none it may say why. The next one is then asked. */
type Source = () => Promise<AwsCredentialIdentity | NoCredentialsError | undefined>;

/**
 * Looks for credentials in the AWS SDK's order: keys in the environment, the profile, web identity, the container, the
 * instance. The SDK's own chain does not say why it found none, does not pass its client's region on, and reads only the
 * environment of the process.
 * @throws NoCredentialsError, and what the SDK throws for an answer of STS or a failed connection
 */
export async function loadCredentials(
  parts: CredentialSourceParts,
  signal: AbortSignal,
): Promise<AwsCredentialIdentity> {
  let failure: NoCredentialsError | undefined;
  const sources: readonly Source[] = [
    async () => keysOf(parts.env),
    () => fromProfile(parts),
    () => fromWebIdentity(parts),
    () => fromMachine(parts, signal),
  ];
  for (const source of sources) {
    const found = await source();
    if (found instanceof NoCredentialsError) failure ??= found;
    else if (found !== undefined) return found;
  }
  throw (
    failure ??
    new NoCredentialsError(
      'ERR_CACHE_ACCESS_DENIED',
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine or container a role',
    )
  );
}

// What copying a key from a file may add. Headers do not allow it, and no key has it.
const NOT_IN_A_KEY = /[^\x21-\x7e]/;

/** The keys in the environment, which are used only without a profile. */
function keysOf(env: Environment): AwsCredentialIdentity | NoCredentialsError | undefined {
  if (variableOf(env, 'AWS_PROFILE') !== undefined) return undefined;
  const accessKeyId = variableOf(env, 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = variableOf(env, 'AWS_SECRET_ACCESS_KEY');
  const sessionToken = variableOf(env, 'AWS_SESSION_TOKEN');
  const expiry = variableOf(env, 'AWS_CREDENTIAL_EXPIRATION');
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    if (accessKeyId === secretAccessKey) return undefined;
    const [set, missing] =
      accessKeyId === undefined
        ? ['SECRET_ACCESS_KEY', 'ACCESS_KEY_ID']
        : ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY'];
    return new NoCredentialsError(
      'ERR_CACHE_CONFIG',
      `AWS_${set} is set and AWS_${missing} is not: set both`,
    );
  }
  const keys = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
  for (const [variable, value] of Object.entries(keys)) {
    if (value === undefined || !NOT_IN_A_KEY.test(value)) continue;
    throw new NoCredentialsError(
      'ERR_CACHE_CONFIG',
      `${variable} contains a space, a line break or another character that is in no key: set it without`,
    );
  }
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    ...(expiry !== undefined && { expiration: new Date(expiry) }),
  };
}

async function fromProfile(
  parts: CredentialSourceParts,
): Promise<AwsCredentialIdentity | NoCredentialsError | undefined> {
  const { env } = parts;
  const name = profileOf(env);
  const isChosen = variableOf(env, 'AWS_PROFILE') !== undefined;
  const profiles = await parseKnownFiles({ ignoreCache: true });
  if (profiles[name] === undefined) {
    return isChosen
      ? new NoCredentialsError(
          'ERR_CACHE_CONFIG',
          `AWS_PROFILE is ${JSON.stringify(name)}, and there is no such profile: correct the name, or the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name (by default ~/.aws/config and ~/.aws/credentials)`,
        )
      : undefined;
  }
  try {
    const provider = fromIni({ profile: name, ignoreCache: true, ...clientOf(parts) });
    return await provider(await callerOf(parts));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (!isChosen && !hasCredentials(profiles[name])) return undefined;
    const failure = new NoCredentialsError(
      'ERR_CACHE_CONFIG',
      `the profile ${JSON.stringify(name)} gives none: ${problemOfProfile(name, profiles)}`,
    );
    if (error.tryNextLink === false) throw failure;
    return failure;
  }
}

function hasCredentials(profile: ParsedIniData[string]): boolean {
  return Object.keys(profile ?? {}).some((key) =>
    /^(?:aws_|role_arn|source_profile|credential_|sso_|web_identity_|login_)/.test(key),
  );
}

function problemOfProfile(name: string, profiles: ParsedIniData): string {
  const { source_profile: source, credential_process: command, ...profile } = profiles[name] ?? {};
  if (source !== undefined && profiles[source] === undefined) {
    return `there is no profile ${JSON.stringify(source)}, its source_profile`;
  }
  if (Object.keys(profile).some((key) => key.startsWith('sso_'))) {
    return `it has no valid session of single sign-on; run aws sso login --profile ${name}`;
  }
  if (profile['login_session'] !== undefined) {
    return `it has no valid session; run aws login --profile ${name}`;
  }
  if (profile['mfa_serial'] !== undefined)
    return 'it needs a code of multi-factor authentication (mfa_serial)';
  if (command !== undefined) return 'its credential_process failed, or printed no valid credentials';
  return PROFILE_NEEDS;
}

async function fromWebIdentity(parts: CredentialSourceParts): Promise<AwsCredentialIdentity | undefined> {
  const { env } = parts;
  const webIdentityTokenFile = variableOf(env, 'AWS_WEB_IDENTITY_TOKEN_FILE');
  const roleArn = variableOf(env, 'AWS_ROLE_ARN');
  const roleSessionName = variableOf(env, 'AWS_ROLE_SESSION_NAME');
  if (webIdentityTokenFile === undefined || roleArn === undefined) return undefined;
  try {
    const provider = fromTokenFile({
      webIdentityTokenFile,
      roleArn,
      ...(roleSessionName !== undefined && { roleSessionName }),
      ...clientOf(parts),
    });
    return await provider(await callerOf(parts));
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'open' && syscall !== 'read') throw error;
    throw new NoCredentialsError(
      'ERR_CACHE_CONFIG',
      `the file that AWS_WEB_IDENTITY_TOKEN_FILE names cannot be read (${code})`,
    );
  }
}

/** From the container if the environment names its service, otherwise from the instance. */
async function fromMachine(
  parts: CredentialSourceParts,
  signal: AbortSignal,
): Promise<AwsCredentialIdentity | NoCredentialsError | undefined> {
  const { env, logger } = parts;
  const ofContainer = await fetchContainerCredentials(env, signal);
  if (ofContainer !== undefined) return ofContainer;
  const disabled = variableOf(env, 'AWS_EC2_METADATA_DISABLED');
  if (disabled !== undefined && disabled.toLowerCase() !== 'false') return undefined;
  try {
    return await fromInstanceMetadata({
      timeout: METADATA_TIMEOUT,
      maxRetries: METADATA_ATTEMPTS - 1,
      profile: profileOf(env),
      logger,
    })();
  } catch (error) {
    return problemOfMetadata(error as MetadataError);
  }
}

interface MetadataError extends Error {
  readonly statusCode?: number;
  readonly code?: string;
}

const KEYS_INSTEAD = 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE';

function problemOfMetadata({
  name,
  message,
  statusCode,
  code,
}: MetadataError): NoCredentialsError | undefined {
  if (statusCode === 404) {
    return new NoCredentialsError(
      'ERR_CACHE_ACCESS_DENIED',
      `the instance has no role: attach an instance profile, or ${KEYS_INSTEAD}`,
    );
  }
  if (statusCode !== undefined) {
    return new NoCredentialsError(
      'ERR_CACHE_UNAVAILABLE',
      `the instance's metadata answered with status ${statusCode}: if that stays, ${KEYS_INSTEAD}`,
    );
  }
  if (message.startsWith('TimeoutError')) {
    return new NoCredentialsError(
      'ERR_CACHE_TIMEOUT',
      `the instance's metadata gave no answer within ${METADATA_TIMEOUT / 1000} s: for a container on EC2 raise the hop limit of the metadata to 2; elsewhere ${KEYS_INSTEAD}, and AWS_EC2_METADATA_DISABLED=true`,
    );
  }
  if (name === 'InstanceMetadataV1FallbackError') {
    return new NoCredentialsError(
      'ERR_CACHE_UNAVAILABLE',
      `the instance's metadata gave no token, and AWS_EC2_METADATA_V1_DISABLED forbids to ask without one: ${KEYS_INSTEAD}`,
    );
  }
  // This machine is no instance of EC2.
  if (code !== undefined) return undefined;
  return new NoCredentialsError(
    'ERR_CACHE_UNAVAILABLE',
    `the instance's metadata answered with something else than credentials: look at AWS_EC2_METADATA_SERVICE_ENDPOINT, or ${KEYS_INSTEAD}`,
  );
}

/** Settings of the clients inside the SDK's providers. */
function clientOf({ requestHandler, retries, logger }: CredentialSourceParts) {
  return { logger, clientConfig: { requestHandler, logger, ...retries } };
}

/** What those clients inherit. As a part of their own configuration it would also change the region of single sign-on. */
async function callerOf({ env, region, requestHandler, logger }: CredentialSourceParts) {
  const name = await region();
  const callerClientConfig = {
    region: () => Promise.resolve(name),
    profile: profileOf(env),
    requestHandler,
    logger,
  };
  return { callerClientConfig };
}
