import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import type { Environment } from '@imgproxy-cache/core/driver';
import { Retries } from '@imgproxy-cache/http-transport';
import type { AwsCredentialIdentity } from '@smithy/types';
import { variableOf } from './aws-environment.js';
import { NoCredentialsError } from './no-credentials-error.js';

const ECS = 'http://169.254.170.2';
const FULL_URI = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
const TOKEN_FILE = 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE';

/** Hosts to which the container's token may be sent without TLS: this machine, ECS and EKS. */
const LOCAL_HOST =
  /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\])$/;

/**
 * Fetches the container's credentials, as on ECS and with EKS pod identity. `undefined` if the environment names no
 * service for them. The SDK's provider cannot be interrupted: one that hangs would keep the process alive for ever.
 * @throws NoCredentialsError
 */
export async function fetchContainerCredentials(
  env: Environment,
  signal: AbortSignal,
): Promise<AwsCredentialIdentity | undefined> {
  const url = urlOf(env);
  if (url === undefined) return undefined;
  const passes = (error: unknown) =>
    error instanceof NoCredentialsError && error.code === 'ERR_CACHE_UNAVAILABLE'
      ? ({ reason: 'transient' } as const)
      : undefined;
  return await new Retries().run(() => fetchOnce(url, env, signal), passes, { signal });
}

function urlOf(env: Environment): URL | undefined {
  const relative = variableOf(env, 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI');
  const full = relative === undefined ? variableOf(env, FULL_URI) : ECS + relative;
  if (full === undefined) return undefined;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && LOCAL_HOST.test(url.hostname))) return url;
  throw new NoCredentialsError(
    'ERR_CACHE_CONFIG',
    `${FULL_URI} is neither a URL of https nor one of this machine, of ECS (169.254.170.2) or of EKS (169.254.170.23)`,
  );
}

async function fetchOnce(url: URL, env: Environment, signal: AbortSignal): Promise<AwsCredentialIdentity> {
  const authorization = await tokenOf(env);
  let status: number | undefined;
  let document: string;
  try {
    const request = (url.protocol === 'https:' ? https : http).get(url, {
      headers: { accept: 'application/json', ...(authorization !== undefined && { authorization }) },
      // Neither proxies nor the host's settings apply.
      agent: false,
      signal,
    });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    status = response.statusCode;
    document = await text(response);
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    throw new NoCredentialsError(
      'ERR_CACHE_UNAVAILABLE',
      `the container's credentials cannot be reached at ${url.origin} (${code}): look at ${FULL_URI}`,
    );
  }
  const identity = status === 200 ? identityOf(document) : undefined;
  if (identity !== undefined) return identity;
  if (status === 200 || (status !== undefined && status >= 500)) {
    throw new NoCredentialsError(
      'ERR_CACHE_UNAVAILABLE',
      `${url.origin}, where the container's credentials are, answered ${status === 200 ? 'with something else' : `with status ${status}`}`,
    );
  }
  throw new NoCredentialsError(
    'ERR_CACHE_ACCESS_DENIED',
    `${url.origin} refuses the container's credentials with status ${status}: look at the role of the task or pod, and at AWS_CONTAINER_AUTHORIZATION_TOKEN or ${TOKEN_FILE}`,
  );
}

async function tokenOf(env: Environment): Promise<string | undefined> {
  const path = variableOf(env, TOKEN_FILE);
  if (path === undefined) return variableOf(env, 'AWS_CONTAINER_AUTHORIZATION_TOKEN');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new NoCredentialsError(
      'ERR_CACHE_CONFIG',
      `the file that ${TOKEN_FILE} names cannot be read (${code})`,
    );
  }
}

function identityOf(document: string): AwsCredentialIdentity | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(document);
  } catch {
    return undefined;
  }
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = (parsed ?? {}) as Record<string, unknown>;
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string') return undefined;
  if (typeof Token !== 'string' || typeof Expiration !== 'string') return undefined;
  const expiration = new Date(Expiration);
  if (Number.isNaN(expiration.getTime())) return undefined;
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token, expiration };
}
