import type { NegotiableFormat } from './cache-request.js';

/**
 * Which formats a renderer may choose for clients that accept them: imgproxy's `IMGPROXY_AUTO_*` and
 * `IMGPROXY_ENFORCE_*`, as `readConfig(NEGOTIATION_TABLE, env)` gives them. Default: none.
 */
export interface NegotiationSettings {
  /** `IMGPROXY_AUTO_AVIF`: AVIF for those who accept it, where the URL asks for no format. */
  readonly autoAvif?: boolean | undefined;
  readonly autoJxl?: boolean | undefined;
  readonly autoWebp?: boolean | undefined;
  /** `IMGPROXY_ENFORCE_AVIF`: AVIF for those who accept it, whatever format the URL asks for. */
  readonly enforceAvif?: boolean | undefined;
  readonly enforceJxl?: boolean | undefined;
  readonly enforceWebp?: boolean | undefined;
}

/**
 * The formats that the renderer may choose for this client, by imgproxy's rules: those that are named in the first line
 * of its `Accept` header, letter by letter and whatever their `q`, so that `image/*` names none. Of these, where the
 * request asks for no format, the automatic and the enforced ones; where it asks for one, the enforced ones.
 *
 * It is the request's `negotiated`, and what the renderer chooses from: nothing else of `Accept` may change the image.
 *
 * @param accept the header: one line or, better, all of them, as in Node's `headersDistinct`
 * @param format the format that the request asks for, if any
 * @returns the formats in the order in which imgproxy prefers them: JPEG XL, AVIF, WebP. `undefined` where the settings
 *   let a client choose none, so that the answer does not depend on `Accept`
 * @throws TypeError for anything else than the header, such as all headers
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
