import { type Meter, metrics } from '@opentelemetry/api';
import type { ContainerModule } from 'inversify';
import { DriverReports } from '../cache/driver-reports.js';
import { ImageCache } from '../cache/image-cache.js';
import type { ImageCacheSettings, NamedDriver } from '../cache/image-cache-parts.js';
import { type CacheDriver, type Clock, systemClock } from '../driver/index.js';
import { CacheKeyBuilder } from '../key/cache-key-builder.js';
import { EntryNames } from '../key/entry-names.js';
import { type ErrorReporting, errorReporting } from '../resilience/error-reporting.js';
import type { Logger } from '../resilience/logger.js';
import { openTelemetry } from '../telemetry/open-telemetry.js';
import { type CacheOptions, readCacheConfiguration } from './cache-configuration.js';
import { stderrLogger } from './stderr-logger.js';
import { CACHE } from './tokens.js';

/**
 * Reads and validates the configuration, imports the drivers and returns a module for the host's own Inversify
 * container. All bindings are synchronous. Resolve `CACHE.ImageCache` and await its `ready()` before serving requests.
 * `container.unbindAllAsync()` or the cache's `close()` closes it.
 *
 * @throws CacheError `ERR_CACHE_CONFIG` with all faults, `ERR_CACHE_DRIVER_NOT_FOUND`,
 *   `ERR_CACHE_DRIVER_CONTRACT`
 * @throws TypeError for options of a wrong type
 */
export async function cacheModule(options: CacheOptions = {}): Promise<ContainerModule> {
  const { env, core, drivers, warnings } = await readCacheConfiguration(options);
  const inversify = await import('./inversify.js');
  return new inversify.ContainerModule(({ bind }) => {
    bind<ImageCacheSettings>(CACHE.Settings).toConstantValue(core);
    bind<Clock>(CACHE.Clock).toConstantValue(systemClock);
    bind<Logger>(CACHE.Logger).toConstantValue(stderrLogger);
    bind<ErrorReporting>(CACHE.ErrorReporting).toConstantValue(errorReporting(core.reportErrors));
    bind<Meter>(CACHE.Meter)
      .toDynamicValue(() => metrics.getMeter('@imgproxy-cache/core'))
      .inSingletonScope();
    bind<CacheKeyBuilder>(CACHE.KeyBuilder)
      .toDynamicValue(
        () =>
          new CacheKeyBuilder({
            prefix: core.prefix,
            namespace: core.keyNamespace,
            headers: core.keyHeaders,
            cookies: core.keyCookies,
          }),
      )
      .inSingletonScope();
    // The name of a driver that the host binds instead is unknown.
    const known = new Map<CacheDriver, NamedDriver>();
    for (const { definition, config } of drivers) {
      bind<CacheDriver | undefined>(CACHE.Driver)
        .toResolvedValue(
          (clock: Clock) => {
            const reports = new DriverReports();
            const driver = definition.create(config, {
              report: (event) => reports.report(event),
              clock,
              lookupTimeoutSeconds: core.lookupTimeoutSeconds,
              reservedName: new EntryNames(core.prefix).reserved,
              env,
            });
            const { name, capabilities } = definition;
            known.set(driver, { driver, name, maxEntryBytes: capabilities.maxEntryBytes, reports });
            return driver;
          },
          [CACHE.Clock],
        )
        .inSingletonScope();
    }
    if (drivers.length === 0) bind<CacheDriver | undefined>(CACHE.Driver).toConstantValue(undefined);
    bind<ImageCache>(CACHE.ImageCache)
      .toResolvedValue(
        (
          bound: (CacheDriver | undefined)[],
          keys: CacheKeyBuilder,
          reporting: ErrorReporting,
          settings: ImageCacheSettings,
          clock: Clock,
          logger: Logger,
          meter: Meter,
        ) => {
          for (const warning of warnings) logger.warn({}, warning);
          return new ImageCache({
            drivers: bound
              .filter((driver) => driver !== undefined)
              .map((driver) => known.get(driver) ?? { driver, name: 'custom' }),
            keys,
            reporting,
            settings,
            clock,
            logger,
            telemetry: openTelemetry(meter),
          });
        },
        [
          { serviceIdentifier: CACHE.Driver, isMultiple: true },
          CACHE.KeyBuilder,
          CACHE.ErrorReporting,
          CACHE.Settings,
          CACHE.Clock,
          CACHE.Logger,
          CACHE.Meter,
        ],
      )
      .inSingletonScope()
      .onDeactivation((cache) => cache.close());
  });
}
