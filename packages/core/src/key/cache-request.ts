/** One processing option: its canonical imgproxy name and its effective value, such as `['width', '300']`. */
export type OptionPair = readonly [name: string, value: string];

/** A header's value: one line, several lines in the order they came, or absent. */
export type HeaderValue = string | readonly string[] | undefined;

/**
 * Request headers in any of the shapes a host has them: Node's `IncomingMessage.headers`,
 * the Fetch API's `Headers`, or pairs. Names ignore case.
 */
export type RequestHeaders = Readonly<Record<string, HeaderValue>> | Iterable<readonly [string, string]>;

/** Output formats that a client may have negotiated by its `Accept` header. */
export type NegotiableFormat = 'avif' | 'jxl' | 'webp';

/**
 * What identifies an image. Two requests that differ in anything that can change a byte of the
 * answer must differ here.
 */
export interface ImageIdentity {
  /** The source's URL after replacements and base URL; bytes where it is not valid UTF-8. */
  readonly source: string | Uint8Array;
  /**
   * The effective processing options: aliases and presets resolved, in a canonical order.
   * `expires` is left out of the key, as imgproxy does since 4.0.2.
   * Several pipelines are given as such: their order matters.
   */
  readonly options?: readonly OptionPair[] | { readonly pipelines: readonly (readonly OptionPair[])[] };
  /** The output format that was asked for. Absent: the renderer chooses. */
  readonly format?: string | undefined;
  /**
   * Formats that the renderer may choose because this client accepts them. Only those that can change
   * the outcome: a client's whole `Accept` header would split the cache without need.
   */
  readonly negotiated?: readonly NegotiableFormat[];
  /** The request's headers; those listed in `IMGPROXY_CACHE_KEY_HEADERS` are part of the key. */
  readonly headers?: RequestHeaders | undefined;
  /**
   * The request's cookies, as the `Cookie` header or as values by name; those listed in
   * `IMGPROXY_CACHE_KEY_COOKIES` are part of the key. Absent: the `Cookie` header among `headers`.
   */
  readonly cookies?: string | Readonly<Record<string, string>> | undefined;
}
