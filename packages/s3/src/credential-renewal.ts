import type { Clock, DriverEvent } from '@imgproxy-cache/core/driver';
import type { AwsCredentialIdentity } from '@smithy/types';
import { KnownFailure } from './failures.js';

/** Gets new credentials from where they come from. */
export type CredentialExchange = (signal: AbortSignal) => Promise<AwsCredentialIdentity>;

// The SDK renews 5 minutes ahead; of a short life that would be all of it.
const EARLY = 5 * 60_000;
const EARLY_SHARE = 0.25;

/** An exchange that takes longer is given up, in milliseconds. */
const EXCHANGE_DEADLINE = 10_000;

const FIRST_BACK_OFF = 1_000;
const LONGEST_BACK_OFF = 60_000;

/** What {@link RenewedCredentials} needs besides the exchange. */
export interface CredentialRenewalParts {
  /** Whose credentials these are, for messages. */
  readonly subject: string;
  report(event: DriverEvent): void;
  readonly clock: Clock;
  /** What may be told of a failure. */
  tell(thrown: unknown): Error;
}

/** No credentials could be got. The cause says why. */
export class CredentialsUnavailableError extends KnownFailure {
  override readonly name = 'CredentialsUnavailableError';
  readonly subject: string;

  constructor(subject: string, cause: Error) {
    super(`no credentials of ${subject}`, { cause });
    this.subject = subject;
  }
}

/** An exchange did not end within its deadline. */
export class ExchangeTimeoutError extends KnownFailure {
  override readonly name = 'ExchangeTimeoutError';
}

interface Held {
  readonly identity: AwsCredentialIdentity;
  /** Milliseconds since the epoch; infinite without an expiry. */
  readonly expires: number;
  /** When to renew them in the background, likewise. */
  readonly renewFrom: number;
}

/**
 * Credentials that are got when they are first needed and renewed before they expire, in the background: as long
 * as they are valid no request waits for an exchange or fails with one. There is one exchange at a time, with a
 * deadline; after one that failed, all who ask hear of that failure until its back-off is over.
 */
export class RenewedCredentials {
  readonly #exchange: CredentialExchange;
  readonly #parts: CredentialRenewalParts;
  #held: Held | undefined;
  /** What was held before: a late answer may still tell of it. */
  #replaced: AwsCredentialIdentity | undefined;
  #exchanging: Promise<AwsCredentialIdentity> | undefined;
  #abort: AbortController | undefined;
  #failure: CredentialsUnavailableError | undefined;
  #failures = 0;
  #retryFrom = 0;
  #closed = false;

  constructor(exchange: CredentialExchange, parts: CredentialRenewalParts) {
    this.#exchange = exchange;
    this.#parts = parts;
  }

  /** Valid credentials. @throws CredentialsUnavailableError */
  async identity(): Promise<AwsCredentialIdentity> {
    const held = this.#held;
    const now = this.#parts.clock.now();
    if (held === undefined || now >= held.expires) return await this.#renew();
    if (now >= held.renewFrom && !this.#backsOff()) this.#renewInBackground();
    return held.identity;
  }

  /**
   * Other credentials than those that the store called expired, or `undefined` where the exchange gives the same
   * again. @throws CredentialsUnavailableError
   */
  async insteadOf(refused: AwsCredentialIdentity): Promise<AwsCredentialIdentity | undefined> {
    if (isSame(this.#held?.identity, refused)) {
      if (this.#backsOff()) return undefined;
      if (isSame(await this.#renew(), refused)) {
        this.#backOff();
        return undefined;
      }
    }
    return await this.identity();
  }

  /** The credentials that requests under way may carry. */
  inUse(): readonly AwsCredentialIdentity[] {
    return [this.#held?.identity, this.#replaced].filter((identity) => identity !== undefined);
  }

  /** Ends an exchange that is under way. */
  close(): void {
    this.#closed = true;
    this.#abort?.abort();
  }

  #renewInBackground(): void {
    // Who needs the new credentials later hears of the failure then, and the operator hears of it at once.
    this.#renew().catch(() => undefined);
  }

  #renew(): Promise<AwsCredentialIdentity> {
    if (this.#failure !== undefined && (this.#closed || this.#backsOff()))
      return Promise.reject(this.#failure);
    this.#exchanging ??= this.#exchangeOnce().finally(() => {
      this.#exchanging = undefined;
    });
    return this.#exchanging;
  }

  async #exchangeOnce(): Promise<AwsCredentialIdentity> {
    const { subject, clock, report, tell } = this.#parts;
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const identity = await this.#withinDeadline(this.#exchange(abort.signal), abort);
      const expires = identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
      const life = expires - clock.now();
      const renewed = this.#held !== undefined;
      this.#replaced = this.#held?.identity;
      this.#held = { identity, expires, renewFrom: expires - Math.min(EARLY, life * EARLY_SHARE) };
      this.#failure = undefined;
      this.#failures = 0;
      this.#retryFrom = 0;
      if (renewed) {
        report({
          kind: 'credentials-renewed',
          level: 'debug',
          message: `the credentials of ${subject} were renewed`,
        });
      }
      return identity;
    } catch (thrown) {
      const cause = tell(thrown);
      this.#failure = new CredentialsUnavailableError(subject, cause);
      this.#backOff();
      if (this.#held !== undefined && !this.#closed) {
        const left = Math.max(0, Math.round((this.#held.expires - clock.now()) / 1000));
        report({
          kind: 'credentials-not-renewed',
          level: 'warn',
          message: `the credentials of ${subject} could not be renewed (${cause.name}); those at hand are valid for ${left} s`,
        });
      }
      throw this.#failure;
    }
  }

  /** An exchange that cannot be interrupted is left behind: the next one does not wait for it. */
  #withinDeadline(
    exchange: Promise<AwsCredentialIdentity>,
    abort: AbortController,
  ): Promise<AwsCredentialIdentity> {
    return new Promise((resolve, reject) => {
      const deadline = this.#parts.clock.setTimer(() => {
        abort.abort(new ExchangeTimeoutError(`no answer within ${EXCHANGE_DEADLINE / 1000} s`));
      }, EXCHANGE_DEADLINE);
      const onAbort = (): void => {
        deadline.cancel();
        reject(abort.signal.reason);
      };
      abort.signal.addEventListener('abort', onAbort, { once: true });
      exchange.then(resolve, reject).finally(() => deadline.cancel());
    });
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

function isSame(one: AwsCredentialIdentity | undefined, other: AwsCredentialIdentity): boolean {
  return one?.accessKeyId === other.accessKeyId && one.sessionToken === other.sessionToken;
}
