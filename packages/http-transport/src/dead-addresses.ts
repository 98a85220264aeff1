import dns, { type LookupAddress } from 'node:dns';
import type { LookupFunction, Socket } from 'node:net';
import type { TransportClock } from './clock.js';

/** For how long an address that did not answer is tried last, in milliseconds. */
const REMEMBERED = 60_000;

/**
 * Has the addresses that did not answer tried after the others of their name. Node.js tries them in the order of the
 * resolver and remembers nothing, so a silent one costs every new connection a quarter or half a second.
 */
export class DeadAddresses {
  readonly #clock: TransportClock;
  readonly #resolve: LookupFunction;
  /** By address, when it may be alive again, on the monotonic clock. */
  readonly #dead = new Map<string, number>();

  constructor(clock: TransportClock, resolve: LookupFunction = dns.lookup as LookupFunction) {
    this.#clock = clock;
    this.#resolve = resolve;
  }

  /** For `net.connect`. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#resolve(hostname, options, (error, addresses, family) => {
      if (error !== null || !Array.isArray(addresses)) callback(error, addresses, family);
      else callback(null, this.#deadLast(addresses));
    });
  };

  /** Learns from the attempts of a socket that is connecting. */
  watch(socket: Socket): Socket {
    const remember = (address: string): void =>
      void this.#dead.set(address, this.#clock.monotonic() + REMEMBERED);
    return socket.on('connectionAttemptTimeout', remember).on('connectionAttemptFailed', remember);
  }

  #deadLast(addresses: readonly LookupAddress[]): LookupAddress[] {
    const now = this.#clock.monotonic();
    for (const [address, until] of this.#dead) if (now >= until) this.#dead.delete(address);
    return addresses.toSorted((one, other) => this.#rank(one) - this.#rank(other));
  }

  #rank({ address }: LookupAddress): number {
    return this.#dead.has(address) ? 1 : 0;
  }
}
