import {
  CACHE,
  type CacheKey,
  CacheKeyBuilder,
  CORE_TABLE,
  cacheModule,
  type Environment,
  type ErrorReporting,
  type ImageIdentity,
  type Logger,
  readConfig,
} from '@imgproxy-cache/core';
import { Container } from 'inversify';

/** Sources in a private bucket. Their URLs are signed anew for each request, and the signature changes no picture. */
class UnsignedSourceKeys extends CacheKeyBuilder {
  override build(identity: ImageIdentity): CacheKey {
    return super.build({ ...identity, source: withoutSignature(identity.source) });
  }

  // For `purgeSource`, which must find the entries that `build` has named.
  override sourcePrefix(source: string | Uint8Array): string {
    return super.sourcePrefix(withoutSignature(source));
  }
}

function withoutSignature(source: string | Uint8Array): string | Uint8Array {
  if (typeof source !== 'string') return source;
  const [path = '', ...queries] = source.split('?');
  const kept = queries
    .join('?')
    .split('&')
    .filter((parameter) => !parameter.startsWith('X-Amz-'))
    .join('&');
  return kept === '' ? path : `${path}?${kept}`;
}

/** A store that fails at the start ends the process. One that fails later fails no request. */
const strictAtStart: ErrorReporting = {
  storeBeforeServing: false,
  shouldThrow: (_error, phase) => phase === 'start',
};

const write = (level: string) => (fields: object, message: string) => {
  process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
};
const jsonLogger: Logger = {
  debug: () => undefined,
  info: write('info'),
  warn: write('warn'),
  error: write('error'),
};

/** A container with a cache. More parts can be rebound until the cache is resolved, for example by a test. */
export async function createContainer(env: Environment = process.env): Promise<Container> {
  const container = new Container();
  container.load(await cacheModule({ env, resolveFrom: import.meta.url }));
  const { prefix, keyNamespace, keyHeaders, keyCookies } = readConfig(CORE_TABLE, env).values;
  const keys = { prefix, namespace: keyNamespace, headers: keyHeaders, cookies: keyCookies };
  container.rebind(CACHE.KeyBuilder).toConstantValue(new UnsignedSourceKeys(keys));
  container.rebind(CACHE.ErrorReporting).toConstantValue(strictAtStart);
  container.rebind(CACHE.Logger).toConstantValue(jsonLogger);
  return container;
}
