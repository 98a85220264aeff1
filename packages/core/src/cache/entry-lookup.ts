import {
  type CacheEntry,
  type CacheError,
  type Clock,
  type EntryMetadata,
  readVerified,
  type StoredEntry,
  verifyName,
} from '../driver/index.js';
import { abortedError } from '../driver/operation-guard.js';
import type { ByteBudget } from '../resilience/byte-budget.js';
import type { Attempt, CircuitBreaker } from '../resilience/circuit-breaker.js';
import { Deadline } from '../resilience/deadline.js';
import type { EventPublisher, LookupPart } from './cache-events.js';
import { type GuardedDriver, isHarmless } from './guarded-driver.js';
import { type LookedUpTier, type Lookup, type Miss, releaseLate } from './lookup.js';
import { LookupProbe } from './lookup-probe.js';
import type { RenderingTime } from './rendering-time.js';
import { StreamedBody } from './streamed-body.js';
import { UnreadableEntries } from './unreadable-entries.js';

export interface EntryLookupParts {
  readonly tier: LookedUpTier;
  readonly driver: GuardedDriver;
  readonly clock: Clock;
  readonly events: EventPublisher;
  readonly budget: ByteBudget;
  readonly renderingTime: RenderingTime;
  /** How long a look-up may take, in seconds. */
  readonly timeoutSeconds: number;
  /** Bodies up to this size, in bytes, are read and verified whole before they are served. */
  readonly verifyBytes: number;
}

const NO_TIERS: readonly LookedUpTier[] = [];
const NEWER_FORMAT: Miss = { kind: 'miss', detail: 'newer-format', missedTiers: NO_TIERS };
const NO_MEMORY: Miss = { kind: 'miss', detail: 'bytes-in-flight', missedTiers: NO_TIERS };
// A look-up that takes this share of its timeout counts as a failure for its breaker.
const SLOW_SHARE = 0.5;
// How far another host's clock may be ahead. An entry created further in the future would outlive its lifetime.
const CLOCK_TOLERANCE = 60_000;

/** How far a look-up has come. */
interface Progress {
  /** When it began, on the monotonic clock. */
  readonly begun: number;
  /** Whether an entry was found, so that its body is now read. */
  found: boolean;
  /** The current part, for its breaker. Absent while the look-up waits for memory and not for the store. */
  attempt: Attempt | undefined;
}

/**
 * Looks up entries in one tier. Corrupt, copied and expired entries are misses. The deadline includes reading: of a small
 * body the whole, of a larger one the first chunk. Finding an entry, reading a whole body and streaming one have separate
 * breakers, since a miss does not show whether bodies can be read.
 */
export class EntryLookup {
  readonly #parts: EntryLookupParts;
  readonly #deadline: Deadline;
  readonly #finding: CircuitBreaker;
  readonly #reading: CircuitBreaker;
  readonly #streaming: CircuitBreaker;
  readonly #probe: LookupProbe;
  readonly #unreadable: UnreadableEntries;
  readonly #miss: Miss;
  readonly #expired: Miss;
  readonly #skipped: Miss;

  constructor(parts: EntryLookupParts) {
    this.#parts = parts;
    const { tier, driver, clock, events, timeoutSeconds } = parts;
    this.#miss = { kind: 'miss', missedTiers: [tier] };
    this.#expired = { kind: 'miss', detail: 'expired', missedTiers: [tier] };
    this.#skipped = { kind: 'miss', detail: 'unreadable', missedTiers: [tier] };
    this.#deadline = new Deadline(clock, 'get', timeoutSeconds);
    this.#unreadable = new UnreadableEntries(clock);
    const probe = new LookupProbe({
      ...parts,
      deadline: this.#deadline,
      isSlow: (duration) => this.#isSlow(duration),
      onCorrupt: (name, error) => events.publish('corrupt', { name, message: error.message }),
    });
    this.#probe = probe;
    this.#finding = driver.breaker('get', timeoutSeconds, () => probe.run('get'));
    this.#reading = driver.breaker('read', timeoutSeconds, () => probe.run('read'));
    this.#streaming = driver.breaker('stream', timeoutSeconds, () => probe.run('stream'));
  }

  /** Records that an entry was stored again. */
  noteStored(name: string): void {
    this.#unreadable.delete(name);
  }

  /** The entry that the driver holds verified in memory, unless it has expired. Synchronous. */
  held(name: string): CacheEntry | undefined {
    const entry = this.#parts.driver.held(name);
    if (entry === undefined || entry.metadata.name !== name) return undefined;
    if (entry.metadata.expires !== undefined && isExpired(entry.metadata, this.#parts.clock.now()))
      return undefined;
    return this.#finding.isClosed && this.#reading.isClosed ? entry : undefined;
  }

  /** Never rejects: a failure is a miss with an error. */
  async find(name: string): Promise<Lookup> {
    this.#probe.noteAsked(name);
    if (!this.#finding.isClosed) return this.#refused('get', this.#finding);
    if (!this.#reading.isClosed) return this.#refused('read', this.#reading);
    if (this.#unreadable.has(name)) return this.#skipped;
    const begun = this.#parts.clock.monotonic();
    const progress: Progress = { begun, found: false, attempt: undefined };
    try {
      return await this.#deadline.run((signal) => this.#lookUp(name, progress, signal), releaseLate);
    } catch (thrown) {
      return this.#missOf(name, progress, thrown);
    }
  }

  async #lookUp(name: string, progress: Progress, signal: AbortSignal): Promise<Lookup> {
    const { driver, clock, verifyBytes } = this.#parts;
    progress.attempt = this.#finding.begin();
    const entry = await driver.get(name, signal);
    if (entry === undefined) {
      driver.succeed('get', progress.begun, 0);
      this.#succeed('get', progress, 0);
      return this.#miss;
    }
    try {
      if (signal.aborted) throw abortedError('get', signal);
      const { metadata } = entry;
      verifyName(metadata, name);
      if (isExpired(metadata, clock.now())) {
        await entry.discard();
        driver.succeed('get', progress.begun, 0);
        this.#succeed('get', progress, 0);
        return this.#expired;
      }
      this.#succeed('get', progress, this.#parts.renderingTime.mean);
      progress.found = true;
      const isSmall = metadata.size <= verifyBytes;
      this.#probe.noteFound(name, isSmall);
      return await (isSmall
        ? this.#read(entry, progress, signal)
        : this.#stream(name, entry, progress, signal));
    } catch (error) {
      // Not awaited: an entry that hangs may hang here as well.
      entry.discard().catch(() => undefined);
      throw error;
    }
  }

  async #read(entry: StoredEntry, progress: Progress, signal: AbortSignal): Promise<Lookup> {
    const { tier, driver, budget, renderingTime } = this.#parts;
    const { metadata } = entry;
    if (!budget.tryAcquire(metadata.size)) await budget.acquire(metadata.size, signal);
    let body: Uint8Array;
    try {
      progress.attempt = this.#reading.begin();
      body = await readVerified(entry, { signal });
    } finally {
      budget.release(metadata.size);
    }
    driver.succeed('get', progress.begun, metadata.size);
    this.#succeed('read', progress, renderingTime.mean);
    return { kind: 'bytes', tier, missedTiers: NO_TIERS, metadata, body };
  }

  async #stream(name: string, entry: StoredEntry, progress: Progress, signal: AbortSignal): Promise<Lookup> {
    const { tier, driver, clock, budget, renderingTime } = this.#parts;
    if (!this.#streaming.isClosed) {
      await entry.discard();
      driver.succeed('get', progress.begun, 0);
      return this.#refused('stream', this.#streaming);
    }
    const body = new StreamedBody(entry, {
      clock,
      budget,
      breaker: this.#streaming,
      saved: renderingTime.mean,
      onFailure: (thrown) => this.#noteBrokenStream(name, thrown, progress.begun),
    });
    const attempt = this.#streaming.begin();
    progress.attempt = attempt;
    await body.readFirst(signal);
    attempt.forget();
    driver.succeed('get', progress.begun, entry.metadata.size);
    return { kind: 'stream', tier, missedTiers: NO_TIERS, metadata: entry.metadata, body };
  }

  /** @returns the error for the reader of the stream */
  #noteBrokenStream(name: string, thrown: unknown, begun: number): CacheError {
    const { driver, events } = this.#parts;
    const error = driver.fail(thrown, 'get', begun);
    this.#unreadable.add(name);
    if (error.code === 'ERR_CACHE_CORRUPT') {
      events.publish('corrupt', { name, message: error.message });
      // It is too late to render instead. After the deletion the next request misses and replaces the entry.
      driver.delete([name]).catch(() => undefined);
    }
    return error;
  }

  #succeed(part: LookupPart, progress: Progress, saved: number): void {
    const { attempt } = progress;
    if (attempt === undefined) return;
    progress.attempt = undefined;
    const duration = this.#parts.clock.monotonic() - attempt.started;
    if (this.#isSlow(duration)) attempt.fail(this.#parts.driver.slow(part, duration));
    else attempt.succeed(saved);
  }

  #isSlow(duration: number): boolean {
    return duration >= this.#parts.timeoutSeconds * 1000 * SLOW_SHARE;
  }

  #refused(part: LookupPart, breaker: CircuitBreaker): Miss {
    const error = this.#parts.driver.refused(part, breaker);
    return { kind: 'miss', detail: 'breaker-open', error, missedTiers: NO_TIERS };
  }

  #missOf(name: string, progress: Progress, thrown: unknown): Miss {
    const { tier, driver, events } = this.#parts;
    const { attempt, found } = progress;
    if (attempt === undefined && found) return NO_MEMORY;
    const error = driver.fail(thrown, 'get', progress.begun);
    if (!isHarmless(error.code, 'get')) {
      if (found) this.#unreadable.add(name);
      attempt?.fail(error);
    } else if (error.code === 'ERR_CACHE_ABORTED') {
      attempt?.forget();
    } else {
      attempt?.succeed(0);
    }
    switch (error.code) {
      case 'ERR_CACHE_CORRUPT':
        events.publish('corrupt', { name, message: error.message });
        return { kind: 'miss', detail: error.code, missedTiers: [tier] };
      case 'ERR_CACHE_UNSUPPORTED':
        return NEWER_FORMAT;
      default:
        return { kind: 'miss', detail: error.code, error, missedTiers: NO_TIERS };
    }
  }
}

function isExpired({ created, expires }: EntryMetadata, now: number): boolean {
  return expires !== undefined && (expires <= now || created > now + CLOCK_TOLERANCE);
}
