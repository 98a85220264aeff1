import type { RequestCookies } from './request-cookies.js';
import type { RequestHeaders } from './request-headers.js';

/** One processing option: its canonical imgproxy name and its effective value, such as `['width', '300']`. */
export type OptionPair = readonly [name: string, value: string];

/** Output formats that a client can negotiate with its `Accept` header. */
export type NegotiableFormat = 'avif' | 'jxl' | 'webp';

/**
 * What identifies an image. Requests that can have different images must differ here.
 */
export interface ImageIdentity {
  /** The source's URL, after replacements and with the base URL. Bytes if it is not valid UTF-8. */
  readonly source: string | Uint8Array;
  /**
   * The effective processing options: aliases and presets resolved, in a canonical order, or an array of pipelines of
   * them. The order of pipelines counts. The key leaves out `expires`, as imgproxy does since 4.0.2.
   */
  readonly options?:
    | readonly OptionPair[]
    | { readonly pipelines: readonly (readonly OptionPair[])[] }
    | undefined;
  /** The requested output format. Absent: the renderer chooses. */
  readonly format?: string | undefined;
  /**
   * Formats that the renderer may choose because this client accepts them: the result of `negotiate()`. It has only the
   * formats that can change the image, since the whole `Accept` header would split the cache needlessly. A host whose
   * renderer negotiates passes it with every request, also if it is `[]`.
   */
  readonly negotiated?: readonly NegotiableFormat[] | undefined;
  /**
   * The client's request headers. Those that `IMGPROXY_CACHE_KEY_HEADERS` lists are part of the key. Required if it lists
   * any; pass `{}` if there are none.
   */
  readonly headers?: RequestHeaders | undefined;
  /**
   * The request's cookies. Those that `IMGPROXY_CACHE_KEY_COOKIES` lists are part of the key. Absent: the `Cookie` header in
   * `headers`. If both are given, they must not contradict each other.
   */
  readonly cookies?: RequestCookies | undefined;
}
