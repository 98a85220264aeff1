import dns, { type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { TransportClock } from './clock.js';

/** How long an address that did not answer is tried last, in milliseconds. */
const REMEMBERED = 60_000;

/**
 * Sorts addresses that did not answer behind the others of their name. Node.js tries them in the resolver's order and
 * remembers nothing, so a silent one would cost every new connection a quarter or half a second.
 */
export class DeadAddresses {
  readonly #clock: TransportClock;
  readonly #resolve: LookupFunction;
  /** By address, until when it is tried last, on the monotonic clock. */
  readonly #dead = new Map<string, number>();

  constructor(clock: TransportClock, resolve: LookupFunction = dns.lookup as LookupFunction) {
    this.#clock = clock;
    this.#resolve = resolve;
  }

  /** For `net.connect`. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#resolve(hostname, options, (error, addresses, family) => {
      if (error !== null) {
        callback(error, addresses, family);
        return;
      }
      // An answer of another form would make Node.js throw an uncaught exception.
      const [first, ...others] = this.#deadLast(validAddresses(addresses, family));
      if (first === undefined) callback(noAddress(hostname), '');
      else if (options.all === true) callback(null, [first, ...others]);
      else callback(null, first.address, first.family);
    });
  };

  /** Learns from the attempts of a socket that is connecting. */
  watch(socket: Socket): Socket {
    const remember = (address: string): void => this.#remember(address);
    return socket.on('connectionAttemptTimeout', remember).on('connectionAttemptFailed', remember);
  }

  /** Learns that an address accepted a connection and did nothing more. */
  giveUp({ remoteAddress }: Socket): void {
    if (remoteAddress !== undefined) this.#remember(remoteAddress);
  }

  #remember(address: string): void {
    this.#dead.set(address, this.#clock.monotonic() + REMEMBERED);
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

/** The addresses in a resolver's answer, which has one or several. */
function validAddresses(addresses: unknown, family: number | undefined): LookupAddress[] {
  const found: unknown[] = Array.isArray(addresses) ? addresses : [{ address: addresses, family }];
  return found
    .map((each) => (each ?? {}) as Partial<LookupAddress>)
    .flatMap(({ address }) =>
      typeof address === 'string' && isIP(address) !== 0 ? [{ address, family: isIP(address) }] : [],
    );
}

function noAddress(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`the resolver gives no address of ${hostname}`), { code: 'ENOTFOUND' });
}
