import type { Clock, DriverEvent } from '@imgproxy-cache/core/driver';
import { AuthenticationError } from '../requests/failures.js';
import type { Session } from './session.js';

/** What {@link SharedSession} needs besides the authentication. */
export interface SharedSessionParts {
  /** Longest time to authenticate, in milliseconds. */
  readonly deadline: number;
  readonly clock: Clock;
  report(event: DriverEvent): void;
}

// A token is renewed so long before it ends; of a short life that would be all of it.
const EARLY = 5 * 60_000;
const EARLY_SHARE = 0.25;
// Times in whole seconds make a token look dead before it is, and the server gives the same one until then.
const SHORTEST_LIFE = 1_000;

const FIRST_BACK_OFF = 1_000;
const LONGEST_BACK_OFF = 30_000;

interface Held {
  readonly session: Session;
  /** Milliseconds since the epoch; infinite without an expiry. */
  readonly expires: number;
  /** When to renew it in the background, likewise. */
  readonly renewFrom: number;
}

/**
 * The one session of all requests, authenticated when it is first needed. It is renewed before it ends, in the
 * background: while it is valid no request waits for an authentication or fails with one. After one that failed, all who
 * ask get that failure until a back-off is over.
 */
export class SharedSession {
  readonly #authenticate: (signal: AbortSignal) => Promise<Session>;
  readonly #parts: SharedSessionParts;
  readonly #closing = new AbortController();
  #held: Held | undefined;
  #authenticating: Promise<Session> | undefined;
  #failure: AuthenticationError | undefined;
  #failures = 0;
  #retryFrom = Number.NEGATIVE_INFINITY;

  constructor(authenticate: (signal: AbortSignal) => Promise<Session>, parts: SharedSessionParts) {
    this.#authenticate = authenticate;
    this.#parts = parts;
  }

  /** A valid session. @throws AuthenticationError */
  async current(): Promise<Session> {
    const held = this.#held;
    const now = this.#parts.clock.now();
    if (held === undefined || now >= held.expires) return await this.#renew();
    // Whoever needs the new one gets its failure then; the operator gets it at once.
    if (now >= held.renewFrom && !this.#backsOff()) this.#renew().catch(() => undefined);
    return held.session;
  }

  /**
   * The session to use instead of one that the store has refused, as after a revocation.
   * @returns `undefined` while a newer one is not worth asking for
   * @throws AuthenticationError
   */
  async insteadOf(refused: Session): Promise<Session | undefined> {
    if (this.#held?.session !== refused) return await this.current();
    if (this.#failure === undefined && this.#backsOff()) return undefined;
    return await this.#renew();
  }

  /** The store has refused a session that is new: no other is asked for during a back-off. */
  refusedAnew(session: Session): void {
    if (this.#held?.session === session) this.#backOff();
  }

  /** The session at hand, even if it has ended. */
  get latest(): Session | undefined {
    return this.#held?.session;
  }

  close(): void {
    this.#closing.abort();
  }

  #renew(): Promise<Session> {
    if (this.#authenticating !== undefined) return this.#authenticating;
    if (this.#failure !== undefined && this.#backsOff()) return Promise.reject(this.#failure);
    this.#authenticating = this.#authenticateOnce().finally(() => {
      this.#authenticating = undefined;
    });
    return this.#authenticating;
  }

  async #authenticateOnce(): Promise<Session> {
    const { clock, report } = this.#parts;
    try {
      const session = await this.#withinDeadline();
      const { life = Number.POSITIVE_INFINITY, token } = session;
      const now = clock.now();
      const expires = now + Math.max(life, SHORTEST_LIFE);
      const replaced = this.#held?.session.token;
      this.#held = { session, expires, renewFrom: expires - Math.min(EARLY, life * EARLY_SHARE) };
      this.#failure = undefined;
      this.#failures = 0;
      this.#retryFrom = Number.NEGATIVE_INFINITY;
      if (replaced !== undefined && replaced !== token) {
        report({ kind: 'token-renewed', level: 'debug', message: 'the token of Swift was renewed' });
      }
      return session;
    } catch (thrown) {
      this.#failure = thrown as AuthenticationError;
      this.#backOff();
      if (this.#held !== undefined && !this.#closing.signal.aborted) {
        const left = Math.max(0, Math.round((this.#held.expires - clock.now()) / 1000));
        report({
          kind: 'token-not-renewed',
          level: 'warn',
          message: `the token of Swift could not be renewed (${this.#failure.message}); the one at hand ends in ${left} s`,
        });
      }
      throw this.#failure;
    }
  }

  async #withinDeadline(): Promise<Session> {
    const { clock, deadline } = this.#parts;
    const late = new AbortController();
    const timer = clock.setTimer(() => {
      late.abort(
        new AuthenticationError(
          'ERR_CACHE_TIMEOUT',
          `cannot authenticate within ${deadline / 1000} s: look at the identity service and the network`,
        ),
      );
    }, deadline);
    try {
      return await this.#authenticate(AbortSignal.any([late.signal, this.#closing.signal]));
    } finally {
      timer.cancel();
    }
  }

  #backOff(): void {
    const delay = Math.min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2 ** this.#failures);
    this.#failures += 1;
    this.#retryFrom = this.#parts.clock.monotonic() + delay;
  }

  #backsOff(): boolean {
    return this.#parts.clock.monotonic() < this.#retryFrom;
  }
}
