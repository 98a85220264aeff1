import type { Environment } from '@imgproxy-cache/core/driver';
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS } from '@smithy/core/config';
import { profileOf, variableOf } from '../credentials/aws-environment.js';

const DEFAULT_REGION = 'us-west-1';

/**
 * The region of the first request: as configured, else `AWS_REGION`, else that of the profile, else us-west-1. The SDK's
 * own default would also ask the instance's metadata.
 */
export function configuredRegion(configured: string, env: Environment): Promise<string> {
  if (configured !== '') return Promise.resolve(configured);
  return loadConfig(
    {
      environmentVariableSelector: () => variableOf(env, 'AWS_REGION'),
      configFileSelector: (profile) => profile['region'],
      default: DEFAULT_REGION,
    },
    { ...NODE_REGION_CONFIG_FILE_OPTIONS, profile: profileOf(env) },
  )();
}

/** `AWS_DEFAULT_REGION`, which nothing reads, if the operator may believe that it is used. */
export function ignoredRegion(configured: string, env: Environment): string | undefined {
  if (configured !== '' || variableOf(env, 'AWS_REGION') !== undefined) return undefined;
  return variableOf(env, 'AWS_DEFAULT_REGION');
}
