import type { Environment } from '../driver/index.js';
import { nearestName } from './nearest-name.js';

/** An unknown variable that resembles a known one. */
export interface MisspeltVariable {
  readonly variable: string;
  /** The names that are probably meant; several drivers may have one. */
  readonly meant: readonly string[];
}

const OURS = 'IMGPROXY_CACHE_';

// Variables of imgproxy and its drivers: valid names, whether or not this installation reads them.
const IMGPROXYS_OWN: readonly string[] = [
  'CONTROL_PASSTHROUGH',
  'TAGS_FORMAT',
  'FS_ROOT',
  'S3_REGION',
  'S3_ENDPOINT',
  'S3_ENDPOINT_USE_PATH_STYLE',
  'S3_USE_DECRYPTION_CLIENT',
  'S3_ASSUME_ROLE_ARN',
  'S3_ASSUME_ROLE_EXTERNAL_ID',
  'GCS_KEY',
  'GCS_ENDPOINT',
  'ABS_NAME',
  'ABS_KEY',
  'ABS_ENDPOINT',
  'SWIFT_USERNAME',
  'SWIFT_API_KEY',
  'SWIFT_AUTH_URL',
  'SWIFT_AUTH_VERSION',
  'SWIFT_TENANT',
  'SWIFT_DOMAIN',
  'SWIFT_TIMEOUT_SECONDS',
  'SWIFT_CONNECT_TIMEOUT_SECONDS',
].map((name) => OURS + name);

/**
 * Finds variables that are probably misspelt. Among a chosen driver's names (`IMGPROXY_CACHE_<DRIVER>_`) every unknown one
 * is reported; elsewhere only those close to a known name, since the variables of other drivers are unknown here.
 *
 * @param known the variables of core and of the chosen drivers
 * @param drivers the names of the chosen drivers
 */
export function findMisspeltVariables(
  environment: Environment,
  known: readonly string[],
  drivers: readonly string[],
): MisspeltVariable[] {
  const right = new Set([...known, ...IMGPROXYS_OWN]);
  const namespaces = drivers.map((driver) => `${OURS}${driver.toUpperCase().replaceAll('-', '_')}_`);
  return Object.keys(environment)
    .filter((variable) => variable.startsWith(OURS) && !right.has(variable))
    .map((variable) => ({ variable, meant: meantNames(variable, known, namespaces) }))
    .filter(({ meant }) => meant.length > 0);
}

function meantNames(
  variable: string,
  known: readonly string[],
  namespaces: readonly string[],
): readonly string[] {
  const namespace = namespaces.find((prefix) => variable.startsWith(prefix));
  if (namespace !== undefined) {
    return namesOf(
      nearestName(
        variable,
        known.filter((name) => name.startsWith(namespace)),
      ),
    );
  }
  const own = variable.slice(OURS.length);
  const inNamespace = known.filter((name) => namespaces.some((prefix) => name === prefix + own));
  if (inNamespace.length > 0) return inNamespace;
  const nearest = nearestName(variable, known);
  const tolerated = Math.max(2, Math.floor(own.length / 4));
  if (nearest !== undefined && nearest.distance <= tolerated) return [nearest.name];
  return namesOf(
    nearestName(
      variable,
      known.filter((name) => hasWordsOf(name, variable)),
    ),
  );
}

function namesOf(near: { readonly name: string } | undefined): readonly string[] {
  return near === undefined ? [] : [near.name];
}

/** Whether a name has all words of another in the same order, such as MAX_ENTRY_SIZE and MAX_SIZE. */
function hasWordsOf(name: string, other: string): boolean {
  const words = other.split('_');
  let matched = 0;
  for (const word of name.split('_')) if (word === words[matched]) matched++;
  return matched === words.length;
}
