import type { NegotiableFormat } from './cache-request.js';

/**
 * The formats that a renderer may choose for clients that accept them: imgproxy's `IMGPROXY_AUTO_*` and
 * `IMGPROXY_ENFORCE_*`, as `readConfig(NEGOTIATION_TABLE, env)` returns them. Default: none.
 */
export interface NegotiationSettings {
  /** `IMGPROXY_AUTO_AVIF`: AVIF for clients that accept it, if the URL requests no format. */
  readonly autoAvif?: boolean | undefined;
  readonly autoJxl?: boolean | undefined;
  readonly autoWebp?: boolean | undefined;
  /** `IMGPROXY_ENFORCE_AVIF`: AVIF for clients that accept it, even if the URL requests another format. */
  readonly enforceAvif?: boolean | undefined;
  readonly enforceJxl?: boolean | undefined;
  readonly enforceWebp?: boolean | undefined;
}

/**
 * The formats that the renderer may choose for this client, by imgproxy's rules. A format is accepted if the first line
 * of the `Accept` header has its name; `q` is ignored, and `image/*` names no format. If the request has a format, only
 * enforced ones may be chosen; otherwise automatic ones as well.
 *
 * Pass the result as the request's `negotiated` and let the renderer choose from it. Nothing else in `Accept` may change
 * the image.
 *
 * @param accept the header: one line or, better, all of them, as in Node's `headersDistinct`
 * @param format the requested format, if any
 * @returns the formats in imgproxy's order of preference: JPEG XL, AVIF, WebP. `undefined` if the settings allow none, so
 *   that the image does not depend on `Accept`
 * @throws TypeError for anything but this header, such as an object with all headers
 */
export function negotiate(
  accept: string | readonly string[] | null | undefined,
  settings: NegotiationSettings,
  format?: string | undefined,
): readonly NegotiableFormat[] | undefined {
  const { autoAvif, autoJxl, autoWebp, enforceAvif, enforceJxl, enforceWebp } = settings;
  const isFree = format === undefined;
  const formats: NegotiableFormat[] = [];
  if (enforceJxl || (isFree && autoJxl)) formats.push('jxl');
  if (enforceAvif || (isFree && autoAvif)) formats.push('avif');
  if (enforceWebp || (isFree && autoWebp)) formats.push('webp');
  if (formats.length === 0) return undefined;
  const line = firstLine(accept);
  return formats.filter((name) => line.includes(`image/${name}`));
}

function firstLine(accept: unknown): string {
  const line: unknown = Array.isArray(accept) ? accept[0] : accept;
  if (line === undefined || line === null) return '';
  if (typeof line === 'string') return line;
  throw new TypeError('accept must be the Accept header: a string, or an array of its lines');
}
