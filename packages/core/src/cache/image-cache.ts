import { CacheError, type DriverCheck } from '../driver/index.js';
import type { CacheKeyBuilder, ImageIdentity } from '../key/index.js';
import {
  abortedError,
  ByteBudget,
  type ErrorReporting,
  FailureLog,
  type Flight,
  FlightTable,
  type Logger,
  StoreQueue,
} from '../policy/index.js';
import { EventPublisher } from './cache-events.js';
import { type CacheOutcome, CacheStatus } from './cache-status.js';
import { CachedImage, wholeImage } from './cached-image.js';
import { type DriverHealth, DriverOperations } from './driver-operations.js';
import type { CacheRequest, FetchResult } from './fetch-result.js';
import type { ImageCacheParts, ImageCacheSettings } from './image-cache-parts.js';
import { type Lookup, LookupStep, MISS } from './lookup-step.js';
import { RenderStep, type Shared } from './render-step.js';
import type { Render } from './rendering.js';
import { StoreStep } from './store-step.js';

/** State of a cache for a host's own health endpoint. Degraded or off, it still serves. */
export type CacheHealth = DriverHealth | { readonly status: 'off' };

const HIT = CacheStatus.of({ hit: true });
const PENDING_HIT = CacheStatus.of({ hit: true, detail: 'pending' });
const PURGE_BATCH = 1000;

/**
 * The cache. `fetch` is the path of a request, from top to bottom; it never makes a request fail because the
 * cache did, unless the error-reporting policy says so.
 */
export class ImageCache implements AsyncDisposable {
  /** Name of the driver; absent where the cache is off. */
  readonly driverName: string | undefined;
  readonly #keys: CacheKeyBuilder;
  readonly #reporting: ErrorReporting;
  readonly #settings: ImageCacheSettings;
  readonly #logger: Logger;
  readonly #failures: FailureLog;
  readonly #events: EventPublisher;
  readonly #operations: DriverOperations | undefined;
  readonly #lookup: LookupStep | undefined;
  readonly #renderer: RenderStep;
  readonly #queue: StoreQueue;
  readonly #flights = new FlightTable<Shared>();
  readonly #stopObserving: (() => void) | undefined;
  #ready: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor({ driver, keys, reporting, clock, logger, settings, telemetry }: ImageCacheParts) {
    this.driverName = driver?.name;
    this.#keys = keys;
    this.#reporting = reporting;
    this.#settings = settings;
    this.#logger = logger;
    this.#failures = new FailureLog(logger, clock, settings.logIntervalSeconds);
    this.#events = new EventPublisher(this, driver?.name ?? 'off');
    this.#stopObserving = telemetry?.observe(this);
    driver?.reports?.listen((event) => {
      this.#events.publish('driver', { event });
      logger[event.level]({ event: event.kind }, event.message);
    });
    const operations =
      driver &&
      new DriverOperations(driver.driver, driver.name, clock, this.#events, {
        lookup: settings.lookupTimeoutSeconds,
        store: settings.storeTimeoutSeconds,
      });
    this.#operations = operations;
    this.#queue = new StoreQueue(
      {
        maxBytes: settings.queueMaxBytes,
        maxEntries: settings.queueMaxEntries,
        concurrency: settings.storeConcurrency,
      },
      clock,
      async (name, entry, signal) => {
        try {
          await operations?.put(name, entry, signal);
          return undefined;
        } catch (error) {
          return error as CacheError;
        }
      },
    );
    const budget = new ByteBudget(settings.maxBytesInFlight);
    const maxEntrySize = Math.min(settings.maxEntrySize, driver?.maxEntryBytes ?? Infinity);
    this.#lookup =
      operations && new LookupStep(operations, clock, this.#events, budget, settings.verifyBytes);
    this.#renderer = new RenderStep({
      store: new StoreStep({
        queue: this.#queue,
        budget,
        reporting,
        failures: this.#failures,
        events: this.#events,
        clock,
        maxEntrySize,
      }),
      budget,
      reporting,
      maxEntrySize,
      isClosing: () => this.#closing !== undefined,
    });
  }

  /**
   * Serves an image from the cache, or renders it, once for all who ask for it at the same time.
   *
   * @throws CacheError `ERR_CACHE_ABORTED` when `request.signal` is aborted; a failure of the cache only where
   *   the error-reporting policy says so (answer 503 with `Cache-Control: no-store`)
   * @throws TypeError for a request with strings that are not well-formed Unicode
   * @throws whatever `render` throws, unchanged
   */
  async fetch(request: CacheRequest, render: Render): Promise<FetchResult> {
    if (request.signal?.aborted) throw abortedError('fetch', request.signal);
    const result = await this.#answer(request, render);
    this.#events.publish('request', { status: result.status });
    return result;
  }

  /**
   * Deletes one image, whether it is stored, waits to be stored or is being rendered.
   * @throws CacheError the driver's failure, whatever the error-reporting policy
   */
  async delete(identity: ImageIdentity): Promise<void> {
    const operations = this.#usable();
    const { name } = this.#keys.build(identity);
    await this.#forget((candidate) => candidate === name);
    await operations?.delete([name]);
  }

  /**
   * Deletes every variant of one source, and nothing else.
   * @returns how many stored images were deleted
   * @throws CacheError the driver's failure, whatever the error-reporting policy
   */
  async purgeSource(
    source: string | Uint8Array,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<number> {
    const operations = this.#usable();
    const prefix = this.#keys.sourcePrefix(source);
    await this.#forget((candidate) => candidate.startsWith(prefix));
    if (operations === undefined) return 0;
    let deleted = 0;
    let batch: string[] = [];
    const deleteBatch = async (): Promise<void> => {
      if (batch.length > 0) await operations.delete(batch, signal);
      deleted += batch.length;
      batch = [];
    };
    for await (const name of operations.list(prefix, signal)) {
      if (!name.startsWith(prefix) || !this.#keys.names.isEntry(name)) continue;
      batch.push(name);
      if (batch.length === PURGE_BATCH) await deleteBatch();
    }
    await deleteBatch();
    return deleted;
  }

  /**
   * Checks the driver, once; later calls get the same answer. A host awaits it before it takes requests.
   * @throws CacheError where the check fails and the error-reporting policy reports it; else that is logged
   */
  ready(): Promise<void> {
    this.#ready ??= this.#start();
    return this.#ready;
  }

  /** How the cache is. */
  health(): CacheHealth {
    return this.#operations?.health ?? { status: 'off' };
  }

  /**
   * Stops: takes nothing more to be stored, waits for what still is (`IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS`) and
   * closes the driver. Requests that come afterwards render without the cache. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #answer(request: CacheRequest, render: Render): Promise<FetchResult> {
    const { signal } = request;
    if (this.#lookup === undefined)
      return this.#renderOnly(render, signal, { forward: 'bypass', detail: 'off' });
    if (request.bypass === true) return this.#renderOnly(render, signal, { forward: 'bypass' });
    if (this.#closing !== undefined)
      return this.#renderOnly(render, signal, { forward: 'bypass', detail: 'closed' });

    const { name } = this.#keys.build(request);
    const pending = this.#queue.peek(name);
    if (pending !== undefined) {
      return Promise.resolve({ status: PENDING_HIT, image: wholeImage(pending.metadata, pending.body) });
    }
    const underway = this.#flights.get(name);
    if (underway !== undefined) return this.#follow(underway, request, render);
    const flight = this.#flights.begin(name);
    return flight.join(this.#fly(flight, request, render), signal, discardResult);
  }

  /** Waits for somebody else's flight. */
  async #follow(underway: Flight<Shared>, request: CacheRequest, render: Render): Promise<FetchResult> {
    const shared = await underway.wait(request.signal);
    if (shared.kind === 'image') {
      return { status: shared.status, image: wholeImage(shared.description, shared.body) };
    }
    const flight = this.#flights.beginAlone(underway.name);
    const known = shared.kind === 'render-alone' ? MISS : undefined;
    return await flight.join(this.#fly(flight, request, render, known), request.signal, discardResult);
  }

  /** Looks up, and renders what was not found: for all who wait for the flight, and so do its failures. */
  async #fly(
    flight: Flight<Shared>,
    request: CacheRequest,
    render: Render,
    known?: Lookup,
  ): Promise<FetchResult> {
    try {
      const found = known ?? (await (this.#lookup as LookupStep).find(flight.name));
      switch (found.kind) {
        case 'bytes':
          flight.land({ kind: 'image', status: HIT, description: found.metadata, body: found.body });
          return { status: HIT, image: wholeImage(found.metadata, found.body) };
        case 'stream':
          flight.land({ kind: 'look-up-alone' });
          return {
            status: HIT,
            image: new CachedImage(found.metadata, found.body, found.metadata.size, found.release),
          };
        case 'miss':
          if (found.error !== undefined) {
            if (this.#reporting.reports(found.error, 'lookup')) throw found.error;
            this.#failures.warn(found.error, 'rendering without the cache');
          }
          if (flight.abandoned) throw abortedError('fetch', flight.signal);
          return await this.#renderer.renderAndStore(flight, render, found, request.tags);
      }
    } catch (error) {
      flight.fail(error);
      throw error;
    }
  }

  /** Renders for one request, without key, look-up and store. */
  #renderOnly(render: Render, signal: AbortSignal | undefined, outcome: CacheOutcome): Promise<FetchResult> {
    const flight = this.#flights.beginAlone('');
    return flight.join(this.#renderer.renderOnly(flight, render, outcome), signal, discardResult);
  }

  /** Makes everything that is not stored yet under the matching names vanish. */
  async #forget(matches: (name: string) => boolean): Promise<void> {
    this.#flights.invalidate(matches);
    await this.#queue.cancel(matches);
  }

  #usable(): DriverOperations | undefined {
    if (this.#closing === undefined) return this.#operations;
    throw new CacheError('ERR_CACHE_CLOSED', 'the cache is closed: nothing can be deleted any more', {
      operation: 'delete',
    });
  }

  async #start(): Promise<void> {
    if (this.#operations === undefined) return;
    const check = await this.#operations.check().catch(
      (error: CacheError): DriverCheck => ({
        ok: false,
        findings: [{ level: 'error', subject: 'check', message: error.message, error }],
      }),
    );
    for (const { level, subject, message, error } of check.findings) {
      this.#logger[level === 'error' ? 'error' : 'warn'](
        { subject, ...(error !== undefined && { code: error.code }) },
        `cache check: ${message}`,
      );
    }
    const failure = check.findings.find((finding) => finding.level === 'error')?.error;
    if (failure !== undefined && this.#reporting.reports(failure, 'start')) throw failure;
  }

  async #stop(): Promise<void> {
    const dropped = await this.#queue.close(this.#settings.drainTimeoutSeconds);
    if (dropped > 0) {
      this.#logger.warn(
        { dropped },
        `the cache stopped before ${dropped} images were stored: they will be rendered again (IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS)`,
      );
    }
    try {
      await this.#operations?.close();
    } finally {
      this.#stopObserving?.();
    }
  }
}

function discardResult(late: FetchResult): void {
  void late.image.discard();
}
