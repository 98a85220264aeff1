import {
  CACHE,
  cacheModule,
  type ImageCache,
  type ImageCacheSettings,
  type Logger,
} from '@imgproxy-cache/core';
import { type UrlConfig, UrlParser } from '@imgproxy-cache/url';
import { readUrlConfig } from '@imgproxy-cache/url/environment';
import type { FastifyBaseLogger } from 'fastify';
import { Container, type ServiceIdentifier } from 'inversify';
import { pino } from 'pino';
import { type CacheDescription, describeCache } from './cache-description.js';
import { Gallery } from './gallery.js';
import { HttpServer } from './http-server.js';
import { ImageRenderer } from './image-renderer.js';
import { ImageRoute } from './image-route.js';
import { LocalSources } from './local-sources.js';
import { readSettings, type Settings } from './settings.js';

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`image-server:${name}`);

/** What the container holds besides classes and the parts of the cache. */
export const SERVER = {
  Settings: token<Settings>('Settings'),
  UrlConfig: token<Partial<UrlConfig>>('UrlConfig'),
  Logger: token<FastifyBaseLogger>('Logger'),
  CacheDescription: token<CacheDescription>('CacheDescription'),
};

/**
 * The server's parts and those of the cache in one container.
 * @throws SettingsError, UrlConfigError or CacheError for a wrong configuration
 */
export async function createContainer(env: NodeJS.ProcessEnv): Promise<Container> {
  const container = new Container({ defaultScope: 'Singleton' });
  container.bind(SERVER.Settings).toConstantValue(readSettings(env));
  container.bind(SERVER.UrlConfig).toConstantValue(readUrlConfig(env));
  container.bind(SERVER.Logger).toConstantValue(pino(pino.destination(2)));

  container.load(await cacheModule({ env, resolveFrom: import.meta.url }));
  container
    .rebind<Logger>(CACHE.Logger)
    .toResolvedValue((logger: FastifyBaseLogger) => logger, [SERVER.Logger]);

  container
    .bind(SERVER.CacheDescription)
    .toResolvedValue(
      (cache: ImageCache, settings: ImageCacheSettings) => describeCache(cache, settings, env),
      [CACHE.ImageCache, CACHE.Settings],
    );
  container.bind(UrlParser).toResolvedValue((config) => new UrlParser(config), [SERVER.UrlConfig]);
  container
    .bind(LocalSources)
    .toResolvedValue(({ sourceRoot }: Settings) => new LocalSources(sourceRoot), [SERVER.Settings]);
  container.bind(ImageRenderer).toResolvedValue((sources) => new ImageRenderer(sources), [LocalSources]);
  container
    .bind(ImageRoute)
    .toResolvedValue(
      (cache, urls, renderer, settings, logger) => new ImageRoute(cache, urls, renderer, settings, logger),
      [CACHE.ImageCache, UrlParser, ImageRenderer, SERVER.Settings, SERVER.Logger],
    );
  container
    .bind(Gallery)
    .toResolvedValue(
      (sources, urls, description) => new Gallery(sources, urls, description),
      [LocalSources, SERVER.UrlConfig, SERVER.CacheDescription],
    );
  container
    .bind(HttpServer)
    .toResolvedValue(
      (logger, cache, images, gallery) => new HttpServer(logger, cache, images, gallery),
      [SERVER.Logger, CACHE.ImageCache, ImageRoute, Gallery],
    );
  return container;
}
