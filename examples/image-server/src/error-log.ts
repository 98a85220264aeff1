import { isCacheError } from '@imgproxy-cache/core';
import type { FastifyBaseLogger } from 'fastify';

/** Logs why a request failed: what was refused as information, all else as an error. */
export function logError(log: FastifyBaseLogger, error: unknown, status: number): void {
  if (isCacheError(error)) log.error({ code: error.code }, `request failed with the cache: ${error.message}`);
  else if (status >= 400 && status < 500)
    log.info({ status }, `request refused: ${error instanceof Error ? error.message : String(error)}`);
  else log.error({ err: error }, 'request failed');
}
