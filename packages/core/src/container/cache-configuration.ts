import { CORE_TABLE } from '../config/core-table.js';
import { findMisspeltVariables } from '../config/misspelt-variables.js';
import { readConfig } from '../config/read-config.js';
import {
  type CacheDriverDefinition,
  CacheError,
  type ConfigFault,
  type ConfigTable,
  type ConfigValues,
  type Environment,
  isCacheError,
} from '../driver/index.js';
import { prefixFault } from '../key/entry-names.js';
import { cookieNamesFault, headerNamesFault } from '../key/field-names.js';
import { driverNames, resolveDriver } from './resolve-driver.js';

/** The sources of a cache's configuration and drivers. */
export interface CacheOptions {
  /** The environment: the cache's variables, and those of SDKs, such as `AWS_PROFILE`. Default: `process.env`. */
  readonly env?: Environment | undefined;
  /** Drivers that are not installed as packages. They take precedence over installed ones. */
  readonly drivers?: readonly CacheDriverDefinition[] | undefined;
  /**
   * Where driver packages are resolved from: a `file:` URL such as `import.meta.url`, or a folder.
   * Default: the folder of the main module.
   */
  readonly resolveFrom?: string | URL | undefined;
}

/** A driver with the values of its variables. */
export interface ChosenDriver {
  readonly definition: CacheDriverDefinition;
  readonly config: ConfigValues<ConfigTable>;
}

/** A configuration without faults. */
export interface CacheConfiguration {
  /** The environment that was read. */
  readonly env: Environment;
  readonly core: ConfigValues<typeof CORE_TABLE>;
  /** The tiers, in look-up order. None: the cache is off. */
  readonly drivers: readonly ChosenDriver[];
  /** Probable mistakes that do not prevent the start. */
  readonly warnings: readonly string[];
}

/**
 * Reads the configuration and finds the drivers.
 * @throws CacheError `ERR_CACHE_CONFIG` with all faults; `ERR_CACHE_DRIVER_NOT_FOUND` or `ERR_CACHE_DRIVER_CONTRACT` if
 *   that is the only fault
 * @throws TypeError for options of a wrong type
 */
export async function readCacheConfiguration(options: CacheOptions): Promise<CacheConfiguration> {
  const { env = process.env, drivers: passed = [], resolveFrom } = options;
  checkOptions(env, passed, resolveFrom);
  const core = readConfig(CORE_TABLE, env);
  const faults: ConfigFault[] = [...core.faults, ...keyFaults(core.values)];

  const drivers: ChosenDriver[] = [];
  const driverErrors: CacheError[] = [];
  const { names, fault: useFault } = driverNames(core.values.use);
  if (useFault !== undefined) faults.push({ variable: CORE_TABLE.use.variable, message: useFault });
  for (const name of names) {
    try {
      const definition = await resolveDriver(name, passed, resolveFrom);
      const own = readConfig(definition.config, env);
      faults.push(...own.faults);
      if (own.faults.length === 0) faults.push(...((await definition.validate?.(own.values, env)) ?? []));
      drivers.push({ definition, config: own.values });
    } catch (error) {
      if (!isCacheError(error)) throw error;
      driverErrors.push(error);
    }
  }
  const [onlyError] = driverErrors;
  if (onlyError !== undefined && driverErrors.length === 1 && faults.length === 0) throw onlyError;
  for (const { driver, message } of driverErrors) {
    const given = JSON.stringify(driver ?? core.values.use);
    faults.push({ variable: CORE_TABLE.use.variable, message: `is ${given}: ${message}` });
  }
  const warnings = misspellings(
    env,
    drivers.map(({ definition }) => definition),
  );
  if (faults.length > 0) throw configError(faults, warnings);
  return { env, core: core.values, drivers, warnings };
}

function checkOptions(env: unknown, drivers: unknown, resolveFrom: unknown): void {
  if (typeof env !== 'object' || env === null) {
    throw new TypeError('env must be a record of variables, such as process.env');
  }
  const isDefinition = (driver: unknown) =>
    typeof driver === 'object' && driver !== null && 'name' in driver && typeof driver.name === 'string';
  if (!Array.isArray(drivers) || !drivers.every(isDefinition)) {
    throw new TypeError(
      "drivers must be an array of drivers' definitions, such as a driver package's default export",
    );
  }
  const isFileUrl = resolveFrom instanceof URL && resolveFrom.protocol === 'file:';
  if (resolveFrom !== undefined && typeof resolveFrom !== 'string' && !isFileUrl) {
    throw new TypeError('resolveFrom must be a file: URL such as import.meta.url, or a folder');
  }
}

function keyFaults({ prefix, keyHeaders, keyCookies }: CacheConfiguration['core']): ConfigFault[] {
  const found = [
    { variable: CORE_TABLE.prefix.variable, fault: prefixFault(prefix) },
    { variable: CORE_TABLE.keyHeaders.variable, fault: headerNamesFault(keyHeaders) },
    { variable: CORE_TABLE.keyCookies.variable, fault: cookieNamesFault(keyCookies) },
  ];
  return found.flatMap(({ variable, fault }) =>
    fault === undefined ? [] : [{ variable, message: `is wrong: ${fault}` }],
  );
}

/** @param warnings listed as well, since a misspelt variable may be the cause of a blank one */
function configError(faults: readonly ConfigFault[], warnings: readonly string[]): CacheError {
  const lines = [...faults.map(({ variable, message }) => `${variable} ${message}`), ...warnings];
  return new CacheError(
    'ERR_CACHE_CONFIG',
    `the configuration of the cache is wrong:${lines.map((line) => `\n- ${line}`).join('')}`,
    { operation: 'configure' },
  );
}

function misspellings(env: Environment, definitions: readonly CacheDriverDefinition[]): string[] {
  const known = [CORE_TABLE, ...definitions.map(({ config }) => config)].flatMap((table) =>
    Object.values<{ readonly variable: string }>(table).map(({ variable }) => variable),
  );
  return findMisspeltVariables(
    env,
    known,
    definitions.map(({ name }) => name),
  ).map(({ variable, meant }) => `${variable} is set and means nothing: is ${meant.join(' or ')} meant?`);
}
