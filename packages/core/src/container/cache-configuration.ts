import { CORE_TABLE, type Environment, findMisspeltVariables, readConfig } from '../config/index.js';
import {
  type CacheDriverDefinition,
  CacheError,
  type ConfigFault,
  type ConfigTable,
  type ConfigValues,
  isCacheError,
} from '../driver/index.js';
import { prefixFault } from '../key/index.js';
import { driverNameFault, resolveDriver } from './resolve-driver.js';

/** Where a cache's configuration and drivers come from. */
export interface CacheOptions {
  /** Default: `process.env`. */
  readonly env?: Environment;
  /** Drivers that need not be installed as packages. They come before installed ones. */
  readonly drivers?: readonly CacheDriverDefinition[];
  /**
   * From where driver packages are resolved: a URL such as `import.meta.url`, or a folder.
   * Default: the folder of the main module.
   */
  readonly resolveFrom?: string | URL;
}

/** A configuration without faults. */
export interface CacheConfiguration {
  readonly core: ConfigValues<typeof CORE_TABLE>;
  /** Absent: the cache is off. */
  readonly driver:
    | { readonly definition: CacheDriverDefinition; readonly config: ConfigValues<ConfigTable> }
    | undefined;
  /** What is probably a mistake and still works. */
  readonly warnings: readonly string[];
}

/**
 * Reads the configuration and finds the driver.
 * @throws CacheError `ERR_CACHE_CONFIG` that lists every fault there is; a driver's own error
 *   (`ERR_CACHE_DRIVER_NOT_FOUND`, `ERR_CACHE_DRIVER_CONTRACT`) where it is the only one
 */
export async function readCacheConfiguration(options: CacheOptions): Promise<CacheConfiguration> {
  const env = options.env ?? process.env;
  const core = readConfig(CORE_TABLE, env);
  const faults: ConfigFault[] = [...core.faults];
  const fault = prefixFault(core.values.prefix);
  if (fault !== undefined)
    faults.push({ variable: CORE_TABLE.prefix.variable, message: `is wrong: ${fault}` });

  let driver: CacheConfiguration['driver'];
  let driverError: CacheError | undefined;
  const use = core.values.use.toLowerCase();
  const nameFault = use === '' ? undefined : driverNameFault(use);
  if (nameFault !== undefined) faults.push({ variable: CORE_TABLE.use.variable, message: nameFault });
  else if (use !== '') {
    try {
      const definition = await resolveDriver(use, options.drivers ?? [], options.resolveFrom);
      const own = readConfig(definition.config, env);
      faults.push(...own.faults);
      if (own.faults.length === 0) faults.push(...((await definition.validate?.(own.values)) ?? []));
      driver = { definition, config: own.values };
    } catch (error) {
      if (!isCacheError(error)) throw error;
      driverError = error;
    }
  }
  if (driverError !== undefined && faults.length === 0) throw driverError;
  if (driverError !== undefined) {
    faults.push({
      variable: CORE_TABLE.use.variable,
      message: `is ${JSON.stringify(use)}: ${driverError.message}`,
    });
  }
  if (faults.length > 0) throw configError(faults);
  return { core: core.values, driver, warnings: misspellings(env, driver?.definition) };
}

function configError(faults: readonly ConfigFault[]): CacheError {
  const lines = faults.map(({ variable, message }) => `\n- ${variable} ${message}`);
  return new CacheError('ERR_CACHE_CONFIG', `the configuration of the cache is wrong:${lines.join('')}`, {
    operation: 'configure',
  });
}

function misspellings(env: Environment, definition: CacheDriverDefinition | undefined): string[] {
  const known = [CORE_TABLE, definition?.config ?? {}].flatMap((table) =>
    Object.values<{ readonly variable: string }>(table).map(({ variable }) => variable),
  );
  return findMisspeltVariables(env, known, definition === undefined ? [] : [definition.name]).map(
    ({ variable, nearest }) => `${variable} is set and means nothing: is ${nearest} meant?`,
  );
}
