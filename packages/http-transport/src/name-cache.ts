import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { TransportClock } from './clock.js';

/** How long an answer of the resolver is used, in milliseconds: short enough to follow a store that moves. */
const LIFETIME = 30_000;

type Callback = Parameters<LookupFunction>[2];
type Answer = Parameters<Callback>;

interface Known {
  readonly answer: Answer;
  readonly expires: number;
}

/**
 * Remembers the addresses of host names for a short while: a pool that is made anew asks the resolver once, and not
 * once a connection. Several addresses are handed out in turn, so that connections spread over them.
 */
export class NameCache {
  readonly #resolve: LookupFunction;
  readonly #clock: TransportClock;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Callback[]>();
  #turn = 0;

  constructor(clock: TransportClock, resolve: LookupFunction = dns.lookup as LookupFunction) {
    this.#resolve = resolve;
    this.#clock = clock;
  }

  /** For `net.connect`. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const key = keyOf(hostname, options);
    const known = this.#known.get(key);
    if (known !== undefined && this.#clock.monotonic() < known.expires) {
      process.nextTick(callback, ...this.#inTurn(known.answer));
      return;
    }
    const waiting = this.#asking.get(key);
    if (waiting !== undefined) {
      waiting.push(callback);
      return;
    }
    const callbacks = [callback];
    this.#asking.set(key, callbacks);
    this.#resolve(hostname, options, (...answer) => {
      this.#asking.delete(key);
      if (answer[0] === null) {
        this.#known.set(key, { answer, expires: this.#clock.monotonic() + LIFETIME });
      }
      for (const each of callbacks) each(...this.#inTurn(answer));
    });
  };

  /** What was known may be wrong: the next connection asks again. */
  forget(): void {
    this.#known.clear();
  }

  #inTurn([error, addresses, family]: Answer): Answer {
    if (error !== null || !Array.isArray(addresses)) return [error, addresses, family];
    this.#turn += 1;
    const start = this.#turn % addresses.length;
    const rotated: LookupAddress[] = [...addresses.slice(start), ...addresses.slice(0, start)];
    return [null, rotated];
  }
}

function keyOf(hostname: string, { family, hints, all }: LookupOptions): string {
  return [hostname, family ?? 0, hints ?? 0, all === true].join(' ');
}
