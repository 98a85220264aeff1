import { channel } from 'node:diagnostics_channel';
import type { CacheErrorCode, CacheOperation, DriverEvent } from '../driver/index.js';
import type { BreakerState } from '../policy/index.js';
import type { CacheStatus, NotStoredReason } from './cache-status.js';

/** What all events have. */
interface CacheEvent {
  /** The cache it happened in: the same object in all its events. */
  readonly cache: object;
  /**
   * Name of the driver; of a request with several drivers: of the one that had the image, or of all, separated by
   * commas.
   */
  readonly driver: string;
}

/** A request was answered. */
export interface RequestEvent extends CacheEvent {
  readonly status: CacheStatus;
}

/** An operation of the driver ended. */
export interface OperationEvent extends CacheEvent {
  readonly operation: CacheOperation;
  /** How long it took, in milliseconds. */
  readonly duration: number;
  /** Bytes of bodies that were read or written. Of a streamed body: its size, when the stream began. */
  readonly bytes: number;
  /** Why it failed. Absent: it did not. */
  readonly code?: CacheErrorCode | undefined;
}

/** A rendered image was not stored, and not because the driver failed. */
export interface NotStoredEvent extends CacheEvent {
  readonly reason: NotStoredReason;
}

/** An entry was found that is not what was stored. */
export interface CorruptEvent extends CacheEvent {
  readonly name: string;
  readonly message: string;
}

/**
 * What a breaker guards of a look-up: finding the entry (`get`), reading a body whole (`read`), streaming one (`stream`).
 */
export type LookupPart = 'get' | 'read' | 'stream';

/** What a breaker guards: a part of look-ups, or stores (`put`). */
export type GuardedOperation = LookupPart | 'put';

/** A breaker of a driver changed. */
export interface BreakerEvent extends CacheEvent {
  readonly operation: GuardedOperation;
  readonly state: BreakerState;
  readonly previous: BreakerState;
}

/** A driver had something to say. */
export interface DriverReportEvent extends CacheEvent {
  readonly event: DriverEvent;
}

/**
 * The cache's events, on channels of `node:diagnostics_channel`. They hold no source URLs, headers or cookies.
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

/** Observes a cache's events from its making to its end. */
export interface CacheTelemetry {
  /** @returns what ends the observation */
  observe(cache: object): () => void;
}

/** Publishes the events of one driver of a cache. An event that nobody listens to is not even made. */
export class EventPublisher {
  readonly #cache: object;
  readonly #driver: string;

  constructor(cache: object, driver: string) {
    this.#cache = cache;
    this.#driver = driver;
  }

  /** Whether anybody listens to events of this kind. */
  hasSubscribers(kind: keyof ChannelEvents): boolean {
    return CACHE_CHANNELS[kind].hasSubscribers;
  }

  /** @param driver where it is another than the publisher's own */
  publish<Kind extends keyof ChannelEvents>(
    kind: Kind,
    event: Omit<ChannelEvents[Kind], keyof CacheEvent>,
    driver: string = this.#driver,
  ): void {
    const target = CACHE_CHANNELS[kind];
    if (target.hasSubscribers) target.publish({ cache: this.#cache, driver, ...event });
  }
}
