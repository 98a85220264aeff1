import type { DriverContext } from '@imgproxy-cache/core/driver';
import { isAbsence } from './absence.js';
import { toCacheError } from './fs-errors.js';

const REPORTED_EVERY = 60 * 60 * 1000;

/** Warnings of work behind the back of requests: each kind at most once in an hour. */
export class RareReports {
  readonly #context: Pick<DriverContext, 'report' | 'clock'>;
  readonly #reportedAt = new Map<string, number>();

  constructor(context: Pick<DriverContext, 'report' | 'clock'>) {
    this.#context = context;
  }

  warn(kind: string, message: string): void {
    const now = this.#context.clock.monotonic();
    if (now - (this.#reportedAt.get(kind) ?? Number.NEGATIVE_INFINITY) < REPORTED_EVERY) return;
    this.#reportedAt.set(kind, now);
    this.#context.report({ kind, level: 'warn', message });
  }

  /** A file or folder that eviction could not deal with; one that is gone is none of its business. */
  readonly trouble = (error: unknown, path: string): void => {
    if (!isAbsence(error)) this.warn('eviction-failed', toCacheError(error, 'delete', path).message);
  };
}
