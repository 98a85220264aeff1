import type { CacheErrorCode } from '@imgproxy-cache/core/driver';
import { KnownFailure } from '../requests/failures.js';

/** No source of credentials gave any. The message says what is wrong with one, and what to do. */
export class NoCredentialsError extends KnownFailure {
  override readonly name = 'NoCredentialsError';
  readonly code: CacheErrorCode;

  constructor(code: CacheErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
