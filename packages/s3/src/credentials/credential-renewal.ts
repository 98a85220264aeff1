import type { DriverContext } from '@imgproxy-cache/core/driver';
import type { AwsCredentialIdentity } from '@smithy/types';
import { KnownFailure } from '../requests/failures.js';

/** Gets new credentials from their source. */
export type CredentialExchange = (signal: AbortSignal) => Promise<AwsCredentialIdentity>;

// The SDK renews 5 minutes ahead, which may be the whole life of short-lived ones.
const EARLY = 5 * 60_000;
const EARLY_SHARE = 0.25;

/** After this time an exchange is given up, in milliseconds. */
const EXCHANGE_DEADLINE = 10_000;

const FIRST_BACK_OFF = 1_000;
const LONGEST_BACK_OFF = 60_000;

/** What {@link RenewedCredentials} needs besides the exchange. */
export interface CredentialRenewalParts {
  /** Whose credentials these are, for messages. */
  readonly subject: string;
  readonly context: DriverContext;
  /** Removes from a failure what may be secret. */
  toFailure(thrown: unknown): Error;
}

/** There are no credentials. The cause says why. */
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
  /** When to begin to renew them in the background, likewise. */
  readonly renewFrom: number;
}

/** Codes by which S3 and STS refuse an expired token. */
const EXPIRED: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
  'RequestExpired',
]);

/**
 * Credentials that are fetched when they are first needed and renewed in the background before they expire: as long as
 * they are valid, no request waits for an exchange or fails because of one. There is one exchange at a time, with a
 * deadline. After a failed one every caller gets its failure until a back-off has passed.
 */
export class RenewedCredentials {
  readonly #exchange: CredentialExchange;
  readonly #parts: CredentialRenewalParts;
  #held: Held | undefined;
  /** The ones before: a late answer may still reveal them. */
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
    const now = this.#parts.context.clock.now();
    if (held === undefined || now >= held.expires) return await this.#renew();
    if (now >= held.renewFrom && !this.#backsOff()) this.#renewInBackground();
    return held.identity;
  }

  /**
   * Runs a request with valid credentials. If they are refused as expired, they are renewed and it is run once more.
   * @throws CredentialsUnavailableError, and what the request throws
   */
  async run<Result>(request: (identity: AwsCredentialIdentity) => Promise<Result>): Promise<Result> {
    const identity = await this.identity();
    try {
      return await request(identity);
    } catch (error) {
      if (!(error instanceof Error && EXPIRED.has(error.name))) throw error;
      const renewed = await this.#insteadOf(identity);
      if (renewed === undefined) throw error;
      return await request(renewed);
    }
  }

  /** Other credentials than those refused. `undefined` if the exchange gives the same again. */
  async #insteadOf(refused: AwsCredentialIdentity): Promise<AwsCredentialIdentity | undefined> {
    if (isSame(this.#held?.identity, refused)) {
      if (this.#backsOff()) return undefined;
      if (isSame(await this.#renew(), refused)) {
        this.#backOff();
        return undefined;
      }
    }
    return await this.identity();
  }

  /** The credentials that requests under way may contain. */
  inUse(): readonly AwsCredentialIdentity[] {
    return [this.#held?.identity, this.#replaced].filter((identity) => identity !== undefined);
  }

  /** Ends an exchange that is under way. */
  close(): void {
    this.#closed = true;
    this.#abort?.abort();
  }

  #renewInBackground(): void {
    // A request that needs the new ones later gets the failure then. The operator gets it at once, as an event.
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
    const { subject, context } = this.#parts;
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const identity = await this.#withinDeadline(this.#exchange(abort.signal), abort);
      const expires = identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
      const life = expires - context.clock.now();
      const renewed = this.#held !== undefined;
      this.#replaced = this.#held?.identity;
      this.#held = { identity, expires, renewFrom: expires - Math.min(EARLY, life * EARLY_SHARE) };
      this.#failure = undefined;
      this.#failures = 0;
      this.#retryFrom = 0;
      if (renewed) {
        context.report({
          kind: 'credentials-renewed',
          level: 'debug',
          message: `the credentials of ${subject} were renewed`,
        });
      }
      return identity;
    } catch (thrown) {
      const cause = this.#parts.toFailure(thrown);
      this.#failure = new CredentialsUnavailableError(subject, cause);
      this.#backOff();
      if (this.#held !== undefined && !this.#closed) {
        const left = Math.max(0, Math.round((this.#held.expires - context.clock.now()) / 1000));
        context.report({
          kind: 'credentials-not-renewed',
          level: 'warn',
          message: `the credentials of ${subject} could not be renewed (${cause.name}); those at hand are valid for ${left} s`,
        });
      }
      throw this.#failure;
    }
  }

  /** An exchange that cannot be interrupted goes on alone: the next one does not wait for it. */
  #withinDeadline(
    exchange: Promise<AwsCredentialIdentity>,
    abort: AbortController,
  ): Promise<AwsCredentialIdentity> {
    return new Promise((resolve, reject) => {
      const deadline = this.#parts.context.clock.setTimer(() => {
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
    this.#retryFrom = this.#parts.context.clock.monotonic() + delay;
  }

  #backsOff(): boolean {
    return this.#parts.context.clock.monotonic() < this.#retryFrom;
  }
}

function isSame(one: AwsCredentialIdentity | undefined, other: AwsCredentialIdentity): boolean {
  return one?.accessKeyId === other.accessKeyId && one.sessionToken === other.sessionToken;
}
