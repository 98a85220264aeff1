import type { ConfigFault, Environment } from '@imgproxy-cache/core/driver';

/** Variables that the AWS SDK itself reads, from the environment of the process. The driver reads the others. */
const READ_BY_SDK =
  /^AWS_(?:ENDPOINT_URL\w*|IGNORE_CONFIGURED_ENDPOINT_URLS|CONFIG_FILE|SHARED_CREDENTIALS_FILE|LOGIN_CACHE_DIRECTORY|EC2_METADATA_(?!DISABLED$)\w+|USE_\w+_ENDPOINT|S3_\w+|SIGV4A_\w+|AUTH_SCHEME_PREFERENCE|DEFAULTS_MODE)$/;
/** Variables of connections, which apply to the whole process. */
const READ_BY_CONNECTIONS = /^(?:(?:HTTPS?|ALL|NO)_PROXY|NODE_EXTRA_CA_CERTS)$/i;

const DEFAULT_PROFILE = 'default';

/** A variable, or `undefined` if it is blank. */
export function variableOf(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value.trim() === '' ? undefined : value;
}

/** Where AWS's variables come from: the given environment if it has any of them, otherwise that of the process. */
export function awsEnvironmentOf(env: Environment): Environment {
  const hasAny = Object.keys(env).some(
    (name) => name.startsWith('AWS_') && variableOf(env, name) !== undefined,
  );
  return hasAny ? env : process.env;
}

/** The profile that is used of the shared configuration files. */
export function profileOf(env: Environment): string {
  return variableOf(env, 'AWS_PROFILE') ?? DEFAULT_PROFILE;
}

/** Variables that are read from the process only, and that the given environment sets to another value. */
export function findEnvironmentFaults(env: Environment): readonly ConfigFault[] {
  const differs = (name: string): boolean => variableOf(env, name) !== variableOf(process.env, name);
  const names = [...new Set([...Object.keys(env), ...Object.keys(process.env)])].filter(differs).sort();
  const ofSdk = awsEnvironmentOf(env) === process.env ? [] : names.filter((name) => READ_BY_SDK.test(name));
  const ofConnections = names.filter(
    (name) => READ_BY_CONNECTIONS.test(name) && variableOf(env, name) !== undefined,
  );
  return [
    ...ofSdk.map((variable) => ({ variable, message: faultOf('the AWS SDK') })),
    ...ofConnections.map((variable) => ({ variable, message: faultOf('connections') })),
  ];
}

function faultOf(reader: string): string {
  return `differs between the given env and the environment of the process, and only the latter applies to ${reader}: set it alike in both`;
}
