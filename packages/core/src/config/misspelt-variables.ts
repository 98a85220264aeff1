import type { Environment } from '../driver/index.js';

/** A variable that looks like one of ours and is none. */
export interface MisspeltVariable {
  readonly variable: string;
  /** The right name it is nearest to. */
  readonly nearest: string;
}

const OURS = 'IMGPROXY_CACHE_';

// imgproxy's own variables, and those of its drivers: right names wherever they stand, whether or not this
// installation reads them.
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
 * Finds variables that were probably meant to be others. Those of drivers that are not in use are left
 * alone, since nobody here knows their names: within a chosen driver's names (`IMGPROXY_CACHE_<DRIVER>_`)
 * every unknown one is reported, elsewhere those that are close to a name of core.
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
  const found: MisspeltVariable[] = [];
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith(OURS) || right.has(variable)) continue;
    const namespace = namespaces.find((prefix) => variable.startsWith(prefix));
    const candidates = namespace === undefined ? known : known.filter((name) => name.startsWith(namespace));
    const nearest = nearestName(variable, candidates);
    if (nearest === undefined) continue;
    const tolerated = Math.max(2, Math.floor((variable.length - OURS.length) / 4));
    if (namespace !== undefined || nearest.distance <= tolerated)
      found.push({ variable, nearest: nearest.name });
  }
  return found;
}

function nearestName(
  name: string,
  candidates: readonly string[],
): { name: string; distance: number } | undefined {
  let nearest: { name: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    if (nearest === undefined || distance < nearest.distance) nearest = { name: candidate, distance };
  }
  return nearest;
}

/** Levenshtein's distance: how many letters to insert, delete or replace. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...left].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...right].entries()) {
      const [diagonal = 0, above = 0] = previous.slice(column, column + 2);
      const before = current[column] ?? 0;
      current.push(Math.min(above + 1, before + 1, diagonal + (letter === other ? 0 : 1)));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
