import type { Clock } from '@imgproxy-cache/core/driver';
import { type ContainerRequests, statusOf } from './container-requests.js';
import { isOfSwift, NoContainerError, NotSwiftError, StatusError } from './failures.js';

/** How long the container is known to exist after an answer has shown it, in milliseconds. */
const KNOWN_FOR = 60_000;

/**
 * Tells an object that does not exist from a container that does not: Swift answers both with the same 404. The container
 * is asked for when nothing else has shown it for a while, once for all who wait.
 */
export class ContainerPresence {
  readonly #path: string;
  readonly #requests: ContainerRequests;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  #knownUntil = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(path: string, requests: ContainerRequests, clock: Clock, closing: AbortSignal) {
    this.#path = path;
    this.#requests = requests;
    this.#clock = clock;
    this.#closing = closing;
  }

  /** An answer has shown that the container exists. */
  confirm(): void {
    this.#knownUntil = this.#clock.monotonic() + KNOWN_FOR;
  }

  /** A request for the container itself found none. */
  refute(): void {
    this.#knownUntil = Number.NEGATIVE_INFINITY;
  }

  /** @throws NoContainerError, and what its request throws */
  async assert(): Promise<void> {
    if (this.#clock.monotonic() < this.#knownUntil) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(): Promise<void> {
    try {
      await this.#requests.send(
        { method: 'HEAD', path: this.#path },
        async (answer) => {
          // Most statuses of success of a proxy that is not Swift's are not this one.
          const status = await statusOf(answer, [200, 204, 404]);
          if (!isOfSwift(answer.headers)) throw new NotSwiftError(`status ${status} without Swift's headers`);
          if (status === 404) throw new NoContainerError('no container');
        },
        { signal: this.#closing },
      );
    } catch (error) {
      // Whoever may read the objects alone learns nothing of the container.
      if (!(error instanceof StatusError && error.status === 403)) throw error;
    }
    this.confirm();
  }
}
