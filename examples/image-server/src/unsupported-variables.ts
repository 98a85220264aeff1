import { NEGOTIATION_TABLE } from '@imgproxy-cache/core';
import { URL_VARIABLES } from '@imgproxy-cache/url/environment';

const OWN_VARIABLES = [
  ...['IMGPROXY_BIND', 'IMGPROXY_LOCAL_FILESYSTEM_ROOT', 'IMGPROXY_TTL'],
  ...Object.values(NEGOTIATION_TABLE).map(({ variable }) => variable),
];
const SUPPORTED = new Set([...OWN_VARIABLES, ...URL_VARIABLES]);

/** imgproxy's variables that limit what is served, or say what is allowed. */
const SECURITY = new Set([
  'IMGPROXY_SANITIZE_SVG',
  ...['IMGPROXY_MAX_SRC_RESOLUTION', 'IMGPROXY_MAX_SRC_FILE_SIZE', 'IMGPROXY_MAX_RESULT_DIMENSION'],
  ...['IMGPROXY_MAX_ANIMATION_FRAMES', 'IMGPROXY_MAX_ANIMATION_FRAME_RESOLUTION'],
]);
/** Beginning of those that name a place with further variables, keys and secrets among them. */
const FROM_ELSEWHERE = 'IMGPROXY_ENV_';

/** Values with which a variable asks for nothing: imgproxy's spellings of false, and no limit. */
const OFF = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

export interface UnsupportedVariables {
  /** The server would be less safe than its environment says. */
  readonly security: readonly string[];
  readonly others: readonly string[];
}

/** The variables of imgproxy that are set and that nothing here reads. Those of the cache are core's to judge. */
export function unsupportedVariables(env: NodeJS.ProcessEnv): UnsupportedVariables {
  const names = Object.keys(env)
    .filter((name) => name.startsWith('IMGPROXY_') && env[name]?.trim() !== '')
    .filter((name) => !SUPPORTED.has(name) && !isOfCache(name))
    .sort();
  return {
    security: names.filter((name) => isForSecurity(name) && !OFF.has(env[name] ?? '')),
    others: names.filter((name) => !isForSecurity(name)),
  };
}

function isForSecurity(name: string): boolean {
  return SECURITY.has(name) || name.startsWith(FROM_ELSEWHERE);
}

function isOfCache(name: string): boolean {
  return name.startsWith('IMGPROXY_CACHE_') && name !== 'IMGPROXY_CACHE_CONTROL_PASSTHROUGH';
}
