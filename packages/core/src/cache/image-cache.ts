import { CacheError, type Clock, isCacheError } from '../driver/index.js';
import { abortedError } from '../driver/operation-guard.js';
import type { CacheKeyBuilder } from '../key/cache-key-builder.js';
import type { ImageIdentity } from '../key/cache-request.js';
import { ByteBudget } from '../resilience/byte-budget.js';
import { CircuitOpenError } from '../resilience/circuit-breaker.js';
import { Deadline } from '../resilience/deadline.js';
import type { ErrorReporting } from '../resilience/error-reporting.js';
import { FailureLog } from '../resilience/failure-log.js';
import { type Logger, safeLogger } from '../resilience/logger.js';
import { type Flight, FlightTable } from '../resilience/single-flight.js';
import { isAccepted, withAccept } from './accepted-types.js';
import { EventPublisher } from './cache-events.js';
import { type CacheHealth, healthOf } from './cache-health.js';
import type { CacheOutcome } from './cache-status.js';
import { CachedImage, wholeImage } from './cached-image.js';
import { checkRequest } from './check-request.js';
import { Deletion } from './deletion.js';
import type { CacheRequest, FetchResult } from './fetch-result.js';
import type { ImageCacheParts, ImageCacheSettings } from './image-cache-parts.js';
import { type LookedUpTier, type Lookup, type Miss, releaseLate } from './lookup.js';
import { type Answer, RenderStep, type Shared } from './render-step.js';
import type { Render } from './rendering.js';
import { RenderingTime } from './rendering-time.js';
import { checkAtStart, drainAndClose } from './start-and-stop.js';
import { StoreStep } from './store-step.js';
import { Tier } from './tier.js';

/** The current work of a cache. */
export interface CacheLoad {
  /** Requests that look up or render. Requests that wait for one of them are not counted. */
  readonly flights: number;
  /** Images that are waiting or being stored, counted once per tier. */
  readonly stores: number;
  /** Bytes of images that are held while they are read, collected and stored. */
  readonly bytes: number;
}

/**
 * The cache. `fetch` is the path of a request, from top to bottom. A failure of the cache never fails a request, unless
 * the error-reporting policy reports it.
 */
export class ImageCache implements AsyncDisposable {
  /** Name of the driver; several are separated by commas. Absent if the cache is off. */
  readonly driverName: string | undefined;
  readonly #keys: CacheKeyBuilder;
  readonly #reporting: ErrorReporting;
  readonly #settings: ImageCacheSettings;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #failures: FailureLog;
  readonly #events: EventPublisher;
  readonly #tiers: readonly Tier[];
  readonly #budget: ByteBudget;
  readonly #deletion: Deletion;
  readonly #lookups: Deadline;
  readonly #renderer: RenderStep;
  readonly #flights = new FlightTable<Shared>();
  readonly #waits: Deadline;
  readonly #stopObserving: (() => void) | undefined;
  #loggedTypeMismatch = false;
  #ready: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @internal Hosts get a cache from `createImageCache()` or from their container. */
  constructor({ drivers, keys, reporting, clock, logger: given, settings, telemetry }: ImageCacheParts) {
    const logger = safeLogger(given);
    this.driverName = drivers.length === 0 ? undefined : drivers.map(({ name }) => name).join(',');
    this.#keys = keys;
    this.#reporting = reporting;
    this.#settings = settings;
    this.#clock = clock;
    this.#logger = logger;
    this.#failures = new FailureLog(logger, clock, settings.logIntervalSeconds);
    this.#events = new EventPublisher(this, this.driverName ?? 'off');
    this.#stopObserving = telemetry?.observe(this);
    this.#budget = new ByteBudget(settings.maxBytesInFlight);
    const renderingTime = new RenderingTime();
    const last = drivers.length - 1;
    this.#tiers = drivers.map(
      (driver, index) =>
        new Tier(driver, {
          cache: this,
          reservedName: keys.names.reserved,
          settings,
          clock,
          logger,
          budget: this.#budget,
          renderingTime,
          failures: this.#failures,
          isOneOfSeveral: drivers.length > 1,
          ttl: index < last ? settings.tierTtlSeconds : 0,
        }),
    );
    this.#deletion = new Deletion({ tiers: this.#tiers, flights: this.#flights, names: keys.names });
    this.#lookups = new Deadline(clock, 'get', settings.lookupTimeoutSeconds);
    this.#waits = new Deadline(clock, 'fetch', settings.collapseTimeoutSeconds);
    const store = new StoreStep({
      budget: this.#budget,
      reporting,
      events: this.#events,
      clock,
      maxEntrySize: settings.maxEntrySize,
    });
    this.#renderer = new RenderStep({
      store,
      budget: this.#budget,
      readers: new ByteBudget(settings.maxBytesInFlight),
      reporting,
      clock,
      renderingTime,
      // The largest that any tier accepts.
      maxEntrySize: Math.min(
        settings.maxEntrySize,
        Math.max(0, ...drivers.map(({ maxEntryBytes }) => maxEntryBytes ?? Number.POSITIVE_INFINITY)),
      ),
      isClosing: () => this.#closing !== undefined,
    });
  }

  /**
   * Serves an image from the cache or renders it, once for all concurrent requests.
   *
   * @throws CacheError `ERR_CACHE_ABORTED` when `request.signal` is aborted; a failure of the cache only if the
   *   error-reporting policy reports it (respond with 503 and `Cache-Control: no-store`)
   * @throws TypeError for an invalid request, or one without the headers or cookies that are part of the key
   * @throws RangeError for a ttl that is not a number of seconds, 0 or more
   * @throws the error that `render` throws, unchanged
   * @throws TypeError with the code `ERR_INVALID_RETURN_VALUE` if `render` gives something else than a rendering
   */
  async fetch(request: CacheRequest, render: Render): Promise<FetchResult> {
    // Once, since headers may be an iterator; and without a look-up as well, so that mistakes are always found.
    const { name, vary } = this.#keys.build(request);
    checkRequest(request, render);
    const { accepts, signal } = request;
    if (signal?.aborted) throw abortedError('fetch', signal);
    const answer = await this.#answer(name, request, render);
    const { status, image } = isAccepted(answer, accepts)
      ? answer
      : await this.#replace(name, request, render, answer.image);
    this.#events.publish('request', { status }, status.tier);
    const { ttlSeconds, verifyBytes } = this.#settings;
    return {
      status,
      image,
      name,
      ttl: request.ttl ?? ttlSeconds,
      verifyBytes,
      vary: accepts === undefined ? vary : withAccept(vary),
    };
  }

  /**
   * Deletes one image. An image that is being rendered, or is waiting to be stored, is not stored.
   * @throws TypeError as {@link fetch}: headers and cookies that are part of the key are required here as well
   * @throws CacheError the first failure of a driver, under any error-reporting policy; the other tiers are still processed
   */
  async delete(identity: ImageIdentity): Promise<void> {
    this.#assertOpen();
    const { name } = this.#keys.build(identity);
    await this.#deletion.delete(name);
  }

  /**
   * Deletes all variants of one source and nothing else. It needs neither headers nor cookies.
   * @returns the number of stored images that were deleted; with several drivers, from the one that had most
   * @throws CacheError the first failure of a driver, under any error-reporting policy; the other tiers are still processed
   */
  async purgeSource(
    source: string | Uint8Array,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number> {
    this.#assertOpen();
    return await this.#deletion.purge(this.#keys.sourcePrefix(source), signal);
  }

  /**
   * Checks the drivers once; later calls return the same promise. Await it before serving requests. Unless the
   * error-reporting policy reports failures, they are logged, and the promise resolves after one look-up timeout at the
   * latest, while a slower check continues in the background.
   * @throws CacheError if the check fails and the policy reports it
   */
  ready(): Promise<void> {
    this.#ready ??= checkAtStart({
      tiers: this.#tiers,
      reporting: this.#reporting,
      clock: this.#clock,
      logger: this.#logger,
      timeoutSeconds: this.#settings.lookupTimeoutSeconds,
      isClosing: () => this.#closing !== undefined,
    });
    return this.#ready;
  }

  /** The health of the cache and its drivers, for a host's health endpoint. Images are served in every state. */
  health(): CacheHealth {
    return healthOf(this.#tiers.map(({ driver }) => driver.health));
  }

  /** The current work of the cache. */
  get load(): CacheLoad {
    const stores = this.#tiers.reduce((sum, { queue }) => sum + queue.size, 0);
    return { flights: this.#flights.size, stores, bytes: this.#budget.held };
  }

  /**
   * Closes the cache: accepts no more images, waits at most `IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS` until the waiting ones are
   * stored, and closes the drivers. Later requests render without the cache. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= drainAndClose(this.#tiers, this.#settings.drainTimeoutSeconds, this.#logger).finally(
      this.#stopObserving,
    );
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #answer(name: string, request: CacheRequest, render: Render): Promise<Answer> {
    const { signal } = request;
    if (this.#tiers.length === 0)
      return this.#renderOnly(render, signal, { forward: 'bypass', detail: 'off' });
    if (request.bypass === true) return this.#renderOnly(render, signal, { forward: 'bypass' });
    if (this.#closing !== undefined)
      return this.#renderOnly(render, signal, { forward: 'bypass', detail: 'closed' });

    for (const tier of this.#tiers) {
      const entry = tier.pending(name);
      if (entry === undefined) continue;
      return Promise.resolve({ status: tier.pendingHit, image: wholeImage(entry.metadata, entry.body) });
    }
    const [first] = this.#tiers;
    const held = first?.lookup.held(name);
    if (first !== undefined && held !== undefined) {
      return Promise.resolve({ status: first.hit, image: wholeImage(held.metadata, held.body) });
    }
    const underway = this.#flights.get(name);
    if (underway !== undefined) return this.#follow(underway, request, render);
    const flight = this.#flights.begin(name);
    return flight.join(this.#fly(flight, request, render), signal, discardAnswer);
  }

  /** Waits for another request's flight, with a deadline: otherwise one rendering that hangs would block all requests. */
  async #follow(underway: Flight<Shared>, request: CacheRequest, render: Render): Promise<Answer> {
    const { signal } = request;
    let shared: Shared;
    try {
      shared = await this.#waits.run((deadline) =>
        underway.wait(signal === undefined ? deadline : AbortSignal.any([signal, deadline])),
      );
    } catch (thrown) {
      if (!isCacheError(thrown) || thrown.code !== 'ERR_CACHE_TIMEOUT' || thrown.operation !== 'fetch')
        throw thrown;
      underway.invalidate();
      return await this.#answer(underway.name, request, render);
    }
    if (shared.kind === 'image') {
      return { status: shared.status, image: wholeImage(shared.description, shared.body) };
    }
    const flight = this.#flights.beginAlone(underway.name);
    const known: Lookup | undefined =
      shared.kind === 'render-alone' ? { kind: 'miss', missedTiers: this.#tiers } : undefined;
    return await flight.join(this.#fly(flight, request, render, known), signal, discardAnswer);
  }

  /** Looks up the image and renders it after a miss. The result or failure goes to all who wait for the flight. */
  async #fly(flight: Flight<Shared>, request: CacheRequest, render: Render, known?: Lookup): Promise<Answer> {
    try {
      const found = known ?? (await this.#find(flight.name));
      switch (found.kind) {
        case 'bytes': {
          const { tier, metadata, body, missedTiers } = found;
          flight.settle({ kind: 'image', status: tier.hit, description: metadata, body });
          if (!flight.invalidated) for (const earlier of missedTiers) void earlier.store({ metadata, body });
          return { status: tier.hit, image: wholeImage(metadata, body) };
        }
        case 'stream':
          flight.settle({ kind: 'look-up-alone' });
          return {
            status: found.tier.hit,
            image: new CachedImage(found.metadata, {
              body: found.body,
              size: found.metadata.size,
              release: () => found.body.release(),
            }),
          };
        case 'miss':
          if (found.error !== undefined) this.#throwIfReported(found.error);
          if (flight.abandoned) throw abortedError('fetch', flight.signal);
          return await this.#renderer.renderAndStore(flight, render, found, {
            tags: request.tags,
            accepts: request.accepts,
            ttl: request.ttl ?? this.#settings.ttlSeconds,
          });
      }
    } catch (error) {
      flight.fail(error);
      throw error;
    }
  }

  /** Looks up tier by tier until one has it. Never rejects: after failures it is a miss with the first error. */
  #find(name: string): Promise<Lookup> {
    const [first] = this.#tiers;
    // Each tier has a deadline of its own, so a single one needs no other.
    return first !== undefined && this.#tiers.length === 1 ? first.lookup.find(name) : this.#findInAll(name);
  }

  /** Looks up in all tiers within one deadline. */
  async #findInAll(name: string): Promise<Lookup> {
    /** Those that certainly do not have it. */
    const missedTiers: LookedUpTier[] = [];
    const find = async (): Promise<Lookup> => {
      let failure: Pick<Miss, 'detail' | 'error'> = {};
      for (const tier of this.#tiers) {
        const lookup = await tier.lookup.find(name);
        if (lookup.kind !== 'miss') return { ...lookup, missedTiers };
        missedTiers.push(...lookup.missedTiers);
        const { detail, error } = lookup;
        if (failure.error === undefined && (error !== undefined || failure.detail === undefined)) {
          failure = { detail, error };
        }
      }
      return { kind: 'miss', ...failure, missedTiers };
    };
    try {
      return await this.#lookups.run(find, releaseLate);
    } catch (thrown) {
      if (!isCacheError(thrown)) throw thrown;
      return { kind: 'miss', detail: thrown.code, error: thrown, missedTiers: [...missedTiers] };
    }
  }

  /** Renders instead of serving the cached image, whose type the request does not accept. */
  async #replace(name: string, request: CacheRequest, render: Render, refused: CachedImage): Promise<Answer> {
    await refused.discard();
    if (!this.#loggedTypeMismatch) {
      this.#loggedTypeMismatch = true;
      this.#logger.warn(
        { contentType: refused.contentType },
        'a cached image has a type that its request does not accept, and is rendered again: everything that the renderer chooses a format by must be part of the request, such as "negotiated" (logged once)',
      );
    }
    const flight = this.#flights.beginAlone(name);
    const known: Lookup = { kind: 'miss', detail: 'not-accepted', missedTiers: this.#tiers };
    return await flight.join(this.#fly(flight, request, render, known), request.signal, discardAnswer);
  }

  /** Throws the error of a failed look-up if the policy reports it, otherwise logs it. An open breaker was logged before. */
  #throwIfReported(error: CacheError): void {
    if (this.#reporting.shouldThrow(error, 'lookup')) throw error;
    if (!(error instanceof CircuitOpenError)) this.#failures.warn(error, 'rendering without the cache');
  }

  /** Renders for one request, without look-up and store. */
  #renderOnly(render: Render, signal: AbortSignal | undefined, outcome: CacheOutcome): Promise<Answer> {
    const flight = this.#flights.beginAlone('');
    return flight.join(this.#renderer.renderOnly(flight, render, outcome), signal, discardAnswer);
  }

  #assertOpen(): void {
    if (this.#closing === undefined) return;
    throw new CacheError('ERR_CACHE_CLOSED', 'the cache is closed: nothing can be deleted any more', {
      operation: 'delete',
    });
  }
}

function discardAnswer(late: Answer): void {
  void late.image.discard();
}
