import type { DriverContext } from '@imgproxy-cache/core/driver';
import { isAbsence, toCacheError } from '../fs-errors.js';

const REPORTED_EVERY = 60 * 60 * 1000;

/** Warnings of background work: each kind at most once an hour. */
export class ThrottledWarnings {
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

  /** Warns of a file or folder that eviction could not read or remove, unless it is gone. */
  readonly failed = (error: unknown, path: string): void => {
    if (!isAbsence(error)) this.warn('eviction-failed', toCacheError(error, 'delete', path).message);
  };
}
