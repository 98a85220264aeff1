import type { DriverContext } from '@imgproxy-cache/core/driver';

/** How long the outcome of a discovery is kept, in milliseconds: answers without a region may be frequent. */
const DISCOVERY_LIFETIME = 30_000;

/** What {@link BucketRegion} is made with. */
export interface BucketRegionParts {
  readonly bucket: string;
  /** The region of the first request. */
  configured(): Promise<string>;
  /** Asks the store, in a region, where the bucket is. `undefined` if it does not say. */
  discover(asked: string): Promise<string | undefined>;
  readonly context: DriverContext;
}

interface Discovery {
  readonly asked: string;
  readonly region: Promise<string | undefined>;
  /** On the monotonic clock; infinite while it is under way. */
  expires: number;
}

/**
 * Remembers the region of the bucket. A new region is used at once, and kept once it has answered: until then
 * {@link refute} goes back to the old one, so that a wrong answer does no lasting harm.
 */
export class BucketRegion {
  readonly #parts: BucketRegionParts;
  #configured: Promise<string> | undefined;
  #current: string | undefined;
  /** The region to go back to while the current one is unconfirmed. */
  #previous: string | undefined;
  #discovery: Discovery | undefined;

  constructor(parts: BucketRegionParts) {
    this.#parts = parts;
  }

  /** The region of the first request. */
  configured(): Promise<string> {
    this.#configured ??= this.#parts.configured().catch((error: unknown) => {
      this.#configured = undefined;
      throw error;
    });
    return this.#configured;
  }

  /** The region of the next request. */
  async current(): Promise<string> {
    this.#current ??= await this.configured();
    return this.#current;
  }

  /**
   * The region to ask instead, after an answer that the bucket is not in `asked`. `undefined` if it is unknown.
   * @param named the region that the answer named
   */
  async elsewhere(asked: string, named: string | undefined): Promise<string | undefined> {
    if (named === undefined && this.#current !== asked) return this.#current;
    const region = named ?? (await this.discover(asked));
    if (region === undefined || region === asked) return undefined;
    if (region !== this.#current) {
      this.#previous ??= this.#current;
      this.#current = region;
    }
    return region;
  }

  /** Discovers the region, once for all callers at the time, and not again for {@link DISCOVERY_LIFETIME}. */
  discover(asked: string): Promise<string | undefined> {
    const { clock } = this.#parts.context;
    const known = this.#discovery;
    if (known?.asked === asked && clock.monotonic() < known.expires) return known.region;
    const region = this.#parts.discover(asked);
    const discovery: Discovery = { asked, region, expires: Number.POSITIVE_INFINITY };
    this.#discovery = discovery;
    const expireLater = (): void => {
      discovery.expires = clock.monotonic() + DISCOVERY_LIFETIME;
    };
    region.then(expireLater, () => {
      discovery.expires = 0;
    });
    return region;
  }

  /** A region has answered for the bucket. */
  confirm(region: string): void {
    if (region !== this.#current || this.#previous === undefined) return;
    const previous = this.#previous;
    this.#previous = undefined;
    void this.configured().then((configured) => {
      const learned = previous === configured;
      this.#parts.context.report({
        kind: learned ? 'region-learned' : 'region-corrected',
        level: 'info',
        message: learned
          ? `the bucket ${this.#parts.bucket} is in ${region}, not in ${previous}: requests go there from now on; IMGPROXY_CACHE_S3_REGION=${region} saves the detour after every start`
          : `the bucket ${this.#parts.bucket} has moved from ${previous} to ${region}: requests go there from now on`,
      });
    });
  }

  /** An unconfirmed region has not answered for the bucket. */
  refute(region: string): void {
    if (region !== this.#current || this.#previous === undefined) return;
    this.#current = this.#previous;
    this.#previous = undefined;
  }

  /** The bucket is gone from a region: the next request goes where the first one did. */
  async forget(region: string): Promise<void> {
    const configured = await this.configured();
    if (region !== this.#current || region === configured) return;
    this.#current = configured;
    this.#previous = undefined;
  }
}
