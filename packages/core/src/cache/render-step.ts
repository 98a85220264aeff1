import type { Clock } from '../driver/index.js';
import type { ByteBudget } from '../resilience/byte-budget.js';
import type { ErrorReporting } from '../resilience/error-reporting.js';
import type { Flight } from '../resilience/single-flight.js';
import { type CacheOutcome, CacheStatus, type NotStoredReason } from './cache-status.js';
import { CachedImage, wholeImage } from './cached-image.js';
import { CollectedBody, closeSource } from './collected-body.js';
import type { Miss } from './lookup.js';
import {
  describeRendering,
  type ImageDescription,
  isStorable,
  type Render,
  type Rendering,
  wrongRendering,
} from './rendering.js';
import type { RenderingTime } from './rendering-time.js';
import type { Candidate, KeepOptions, StoreStep } from './store-step.js';

/** An image to serve, and the outcome that led to it. */
export interface Answer {
  readonly status: CacheStatus;
  readonly image: CachedImage;
}

/** The result of a flight for the requests that wait for it. */
export type Shared =
  | {
      readonly kind: 'image';
      readonly status: CacheStatus;
      readonly description: ImageDescription;
      readonly body: Uint8Array;
    }
  /** The stored image is streamed to one request: the others look it up themselves. */
  | { readonly kind: 'look-up-alone' }
  /** The rendering belongs to one request: the others render themselves. */
  | { readonly kind: 'render-alone' };

export interface RenderStepParts {
  readonly store: StoreStep;
  /** For what is collected and stored. */
  readonly budget: ByteBudget;
  /** For what slow clients keep in memory. */
  readonly readers: ByteBudget;
  readonly reporting: ErrorReporting;
  readonly clock: Clock;
  readonly renderingTime: RenderingTime;
  /** In bytes. */
  readonly maxEntrySize: number;
  /** Whether the cache accepts no more images. */
  readonly isClosing: () => boolean;
}

const COLLAPSED_MISS = CacheStatus.of({ forward: 'miss', collapsed: true });

/** Renders an image, stores it, and shares it with all requests that wait for it. */
export class RenderStep {
  readonly #parts: RenderStepParts;

  constructor(parts: RenderStepParts) {
    this.#parts = parts;
  }

  /** Renders for one request, without storing. */
  async renderOnly(flight: Flight<Shared>, render: Render, outcome: CacheOutcome): Promise<Answer> {
    try {
      const rendering = checked(await render({ signal: flight.signal }));
      return { status: CacheStatus.of(outcome), image: unsharedImage(rendering) };
    } finally {
      flight.settle({ kind: 'render-alone' });
    }
  }

  /**
   * Renders for all requests that wait. A stream is served while it is collected, unless the policy stores before
   * serving.
   */
  async renderAndStore(
    flight: Flight<Shared>,
    render: Render,
    miss: Miss,
    keep: KeepOptions,
  ): Promise<Answer> {
    const { store, budget, readers, reporting, clock, renderingTime, maxEntrySize } = this.#parts;
    const started = clock.monotonic();
    const rendering = checked(await render({ signal: flight.signal }));
    renderingTime.note(clock.monotonic() - started);
    const { body } = rendering;
    if (!isStorable(rendering)) {
      flight.settle({ kind: 'render-alone' });
      return { status: missStatus(miss, store.skip('not-storable')), image: unsharedImage(rendering) };
    }
    const description = describeRendering(rendering);
    if (keep.accepts?.includes(description.contentType) === false) {
      flight.settle({ kind: 'render-alone' });
      return { status: missStatus(miss, store.skip('not-accepted')), image: unsharedImage(rendering) };
    }
    const finish = (whole: Uint8Array, release?: () => void): Promise<Answer> =>
      this.#finish(flight, miss, { name: flight.name, description, body: whole, keep, release });
    if (body instanceof Uint8Array) return finish(body);

    const collecting = new CollectedBody(body, { maxBytes: maxEntrySize, budget, readers });
    const stop = (): void => collecting.stop();
    flight.signal.addEventListener('abort', stop, { once: true });
    const release = (): void => {
      collecting.leaveReader();
      flight.leave();
    };
    const streamed = new CachedImage(description, { body: collecting.read(), release });
    const finished = collecting.collected.then((collected) => {
      flight.signal.removeEventListener('abort', stop);
      if (collected.complete) {
        // Served as bytes then, and not from the stream.
        if (reporting.storeBeforeServing) collecting.leaveReader();
        return finish(collected.body, () => collecting.release());
      }
      flight.settle({ kind: 'render-alone' });
      return { status: missStatus(miss, store.skip(collected.reason)), image: streamed };
    });
    if (reporting.storeBeforeServing) return finished;
    finished.catch((error: unknown) => flight.fail(error));
    // If the stream fails before its first chunk, the request fails before its response has begun.
    await collecting.begun;
    return { status: missStatus(miss, {}), image: streamed };
  }

  /** Stores the whole image and shares it with the requests that wait. */
  async #finish(flight: Flight<Shared>, miss: Miss, candidate: Candidate): Promise<Answer> {
    const { description, body, release } = candidate;
    const obstacle = this.#obstacle(flight, miss);
    if (obstacle !== undefined) release?.();
    const kept = obstacle ?? (await this.#parts.store.keep(candidate, miss.missedTiers));
    flight.settle({ kind: 'image', status: COLLAPSED_MISS, description, body });
    return { status: missStatus(miss, kept), image: wholeImage(description, body) };
  }

  /** Why no rendering may be stored now, if so. */
  #obstacle(flight: Flight<Shared>, miss: Miss): Pick<CacheOutcome, 'detail'> | undefined {
    const { store, isClosing } = this.#parts;
    if (miss.missedTiers.length === 0) return store.skip(reasonOf(miss));
    if (flight.invalidated) return store.skip('invalidated');
    return isClosing() ? store.skip('closed') : undefined;
  }
}

/** Why a rendering may not be stored in any tier. */
function reasonOf({ detail, error }: Miss): NotStoredReason {
  if (detail === 'breaker-open' || detail === 'bytes-in-flight') return detail;
  return error === undefined ? 'newer-format' : 'lookup-failed';
}

function missStatus(miss: Miss, kept: Pick<CacheOutcome, 'stored' | 'detail'>): CacheStatus {
  const detail = miss.detail ?? kept.detail;
  return CacheStatus.of({ forward: 'miss', ...kept, ...(detail !== undefined && { detail }) });
}

function unsharedImage(rendering: Rendering): CachedImage {
  const { body, store } = rendering;
  const description = describeRendering(rendering);
  if (body instanceof Uint8Array) return wholeImage(description, body, store);
  return new CachedImage(description, { body, release: () => closeSource(body), store });
}

function checked(rendering: Rendering): Rendering {
  const body: unknown = rendering?.body;
  const streams = typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
  if (!streams && !(body instanceof Uint8Array)) {
    throw wrongRendering(
      'render gave no body: it must be a Uint8Array or an async iterable of them, such as a stream',
    );
  }
  const contentType: unknown = rendering.contentType;
  const store: unknown = rendering.store;
  if (store !== undefined && typeof store !== 'boolean') {
    if (!(body instanceof Uint8Array)) closeSource(body as AsyncIterable<Uint8Array>);
    throw wrongRendering(
      'render gave a store that is neither true nor false: an image that only this request may have needs false',
    );
  }
  if (typeof contentType !== 'string') {
    if (!(body instanceof Uint8Array)) closeSource(body as AsyncIterable<Uint8Array>);
    throw wrongRendering("render gave no contentType: it must be the image's media type, such as image/webp");
  }
  return rendering;
}
