import { CacheError, type CacheOperation, type Clock } from '@imgproxy-cache/core/driver';
import type { FaultEffect } from './fault.js';
import type { InjectedFault } from './injected-fault.js';

/**
 * Applies a fault: throws, or waits until a delay has passed or a hang is removed.
 * @throws CacheError `ERR_CACHE_ABORTED` when the signal aborts, unless the fault is deaf
 */
export async function suffer(
  { effect, removal }: InjectedFault,
  clock: Clock,
  signal: AbortSignal | undefined,
  operation: CacheOperation,
): Promise<void> {
  if (effect.kind === 'error') throw failureOf(effect, operation);
  if (effect.kind !== 'delay' && effect.kind !== 'hang') return;
  const over = Promise.withResolvers<void>();
  const abort = (): void => {
    const message = `${operation} was aborted by the caller during an injected ${effect.kind}`;
    over.reject(new CacheError('ERR_CACHE_ABORTED', message, { operation, cause: signal?.reason }));
  };
  const end = (): void => over.resolve();
  const timer = effect.kind === 'delay' ? clock.setTimer(end, effect.milliseconds) : undefined;
  removal.addEventListener('abort', end);
  if (effect.deaf !== true) {
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
  }
  try {
    await over.promise;
  } finally {
    timer?.cancel();
    removal.removeEventListener('abort', end);
    signal?.removeEventListener('abort', abort);
  }
}

function failureOf(
  { code = 'ERR_CACHE_UNAVAILABLE', thrown }: Extract<FaultEffect, { readonly kind: 'error' }>,
  operation: CacheOperation,
): unknown {
  if (thrown !== undefined) return thrown();
  return new CacheError(code, `${operation} failed because of an injected fault`, { operation });
}
