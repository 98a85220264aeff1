import {
  CACHE,
  type CacheKey,
  CacheKeyBuilder,
  CORE_TABLE,
  cacheModule,
  type Environment,
  type ErrorReporting,
  type ImageIdentity,
  readConfig,
} from '@imgproxy-cache/core';
import type { CacheDriver } from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { Container } from 'inversify';

/**
 * A host's container with parts of its own. Whoever gets it may rebind more of them, as a test does, until the cache
 * is resolved.
 */
export async function createContainer(env: Environment): Promise<Container> {
  const container = new Container();
  container.load(await cacheModule({ env, resolveFrom: import.meta.url }));
  const { prefix, keyNamespace, keyHeaders, keyCookies } = readConfig(CORE_TABLE, env).values;

  container
    .rebind<CacheKeyBuilder>(CACHE.KeyBuilder)
    .toConstantValue(
      new UnsignedSourceKeys({ prefix, namespace: keyNamespace, headers: keyHeaders, cookies: keyCookies }),
    );
  container.rebind<ErrorReporting>(CACHE.ErrorReporting).toConstantValue(strictAtStart);
  container
    .rebind<CacheDriver | undefined>(CACHE.Driver)
    .toDynamicValue(() => new MemoryDriver({ maxSize: Math.floor(process.availableMemory() / 8) }))
    .inSingletonScope();
  return container;
}

/** A store that is broken when the host is deployed stops it; one that breaks later fails no request. */
const strictAtStart: ErrorReporting = {
  storeBeforeServing: false,
  shouldThrow: (_error, phase) => phase === 'start',
};

/** Sources in a private bucket, whose URLs are signed anew for each request: the signature changes no picture. */
class UnsignedSourceKeys extends CacheKeyBuilder {
  override build(identity: ImageIdentity): CacheKey {
    return super.build({ ...identity, source: withoutSignature(identity.source) });
  }

  // What purging a source looks for: it must know a source by the same name.
  override sourcePrefix(source: string | Uint8Array): string {
    return super.sourcePrefix(withoutSignature(source));
  }
}

function withoutSignature(source: string | Uint8Array): string | Uint8Array {
  if (typeof source !== 'string') return source;
  const queryStart = source.indexOf('?');
  if (queryStart === -1) return source;
  const parameters = source.slice(queryStart + 1).split('&');
  const kept = parameters.filter((parameter) => !parameter.startsWith('X-Amz-'));
  const path = source.slice(0, queryStart);
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}
