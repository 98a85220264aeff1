import { channel } from 'node:diagnostics_channel';
import type { CacheErrorCode, CacheOperation, DriverEvent } from '../driver/index.js';
import type { BreakerState } from '../resilience/circuit-breaker.js';
import type { CacheStatus, NotStoredReason } from './cache-status.js';

/** The properties of all events. */
interface CacheEvent {
  /** The cache: the same object in all its events. */
  readonly cache: object;
  /**
   * Name of the driver. For a request with several drivers: the one that had the image, otherwise all, separated by
   * commas.
   */
  readonly driver: string;
}

/** A request was answered. */
export interface RequestEvent extends CacheEvent {
  readonly status: CacheStatus;
}

/** An operation of the driver has ended. */
export interface OperationEvent extends CacheEvent {
  readonly operation: CacheOperation;
  /** Its duration, in milliseconds. */
  readonly duration: number;
  /** Bytes of bodies that were read or written. A streamed body counts whole when its stream begins. */
  readonly bytes: number;
  /** The code of its failure. Absent: it succeeded. */
  readonly code?: CacheErrorCode | undefined;
}

/** A rendered image was not stored, for another reason than a failure of the driver. */
export interface NotStoredEvent extends CacheEvent {
  readonly reason: NotStoredReason;
}

/** A corrupt entry was found. */
export interface CorruptEvent extends CacheEvent {
  readonly name: string;
  readonly message: string;
}

/**
 * The parts of a look-up, each with a breaker: finding the entry (`get`), reading a whole body (`read`), streaming a body
 * (`stream`).
 */
export type LookupPart = 'get' | 'read' | 'stream';

/** The operations with a breaker: the parts of look-ups, and stores (`put`). */
export type GuardedOperation = LookupPart | 'put';

/** A breaker of a driver changed its state. */
export interface BreakerEvent extends CacheEvent {
  readonly operation: GuardedOperation;
  readonly state: BreakerState;
  readonly previous: BreakerState;
}

/** A driver reported an event. */
export interface DriverReportEvent extends CacheEvent {
  readonly event: DriverEvent;
}

/**
 * The cache's events by the channels of `node:diagnostics_channel`. They hold no source URLs, headers or cookies.
 */
export interface CacheEvents {
  readonly 'imgproxy-cache:request': RequestEvent;
  readonly 'imgproxy-cache:operation': OperationEvent;
  readonly 'imgproxy-cache:not-stored': NotStoredEvent;
  readonly 'imgproxy-cache:corrupt': CorruptEvent;
  readonly 'imgproxy-cache:breaker': BreakerEvent;
  readonly 'imgproxy-cache:driver': DriverReportEvent;
}

export const CACHE_CHANNELS = {
  request: channel('imgproxy-cache:request'),
  operation: channel('imgproxy-cache:operation'),
  notStored: channel('imgproxy-cache:not-stored'),
  corrupt: channel('imgproxy-cache:corrupt'),
  breaker: channel('imgproxy-cache:breaker'),
  driver: channel('imgproxy-cache:driver'),
} as const;

type ChannelEvents = {
  readonly request: RequestEvent;
  readonly operation: OperationEvent;
  readonly notStored: NotStoredEvent;
  readonly corrupt: CorruptEvent;
  readonly breaker: BreakerEvent;
  readonly driver: DriverReportEvent;
};

/** Observes a cache's events from its creation until it is closed. */
export interface CacheTelemetry {
  /** @returns a function that ends the observation */
  observe(cache: object): () => void;
}

/** Publishes the events of one driver of a cache. Without a subscriber no event is created. */
export class EventPublisher {
  readonly #cache: object;
  readonly #driver: string;

  constructor(cache: object, driver: string) {
    this.#cache = cache;
    this.#driver = driver;
  }

  /** Whether events of this kind have a subscriber. */
  hasSubscribers(kind: keyof ChannelEvents): boolean {
    return CACHE_CHANNELS[kind].hasSubscribers;
  }

  /** @param driver the driver's name, if it is not the publisher's own */
  publish<Kind extends keyof ChannelEvents>(
    kind: Kind,
    event: Omit<ChannelEvents[Kind], keyof CacheEvent>,
    driver: string = this.#driver,
  ): void {
    const target = CACHE_CHANNELS[kind];
    if (target.hasSubscribers) target.publish({ cache: this.#cache, driver, ...event });
  }
}
