import type { RequestCookies } from './request-cookies.js';
import type { RequestHeaders } from './request-headers.js';

/** One processing option: its canonical imgproxy name and its effective value, such as `['width', '300']`. */
export type OptionPair = readonly [name: string, value: string];

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
  readonly options?:
    | readonly OptionPair[]
    | { readonly pipelines: readonly (readonly OptionPair[])[] }
    | undefined;
  /** The output format that was asked for. Absent: the renderer chooses. */
  readonly format?: string | undefined;
  /**
   * Formats that the renderer may choose because this client accepts them: what `negotiate()` makes of the `Accept`
   * header. Only those that can change the outcome: a client's whole header would split the cache without need. A host
   * whose renderer negotiates passes it with every request, `[]` too.
   */
  readonly negotiated?: readonly NegotiableFormat[] | undefined;
  /**
   * The client's request headers; those listed in `IMGPROXY_CACHE_KEY_HEADERS` are part of the key. Required where that
   * lists any; `{}` says that there are none.
   */
  readonly headers?: RequestHeaders | undefined;
  /**
   * The request's cookies; those listed in `IMGPROXY_CACHE_KEY_COOKIES` are part of the key. Absent: the `Cookie` header
   * among `headers`. Where both are given, they must not contradict each other.
   */
  readonly cookies?: RequestCookies | undefined;
}
