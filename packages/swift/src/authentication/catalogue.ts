import { text } from '../json-document.js';
import { NotSwiftError } from '../requests/failures.js';
import { parseStorageUrl, type StorageUrl } from './session.js';

/** A public endpoint of the object store. */
export interface Endpoint {
  readonly region: string | undefined;
  readonly url: unknown;
}

/** The catalogue has no endpoint for what was asked. */
export class NoEndpointError extends NotSwiftError {
  readonly regions: readonly string[];

  constructor(regions: readonly string[]) {
    super('a catalogue without the object store');
    this.regions = regions;
  }
}

// The catalogue is not ours: what it calls a region is shown only if it looks like one.
const REGION = /^[\w. -]{1,64}$/;

/** Picks the endpoint of a region; without one, the first. @throws NoEndpointError, NotSwiftError */
export function pickEndpoint(
  endpoints: readonly Endpoint[],
  region: string,
  reveals: (text: string) => boolean,
): { readonly storage: StorageUrl; readonly regions: readonly string[] } {
  const named = endpoints.flatMap(({ region: name }) => (name === undefined ? [] : [name]));
  const regions = [...new Set(named)].filter((name) => REGION.test(name) && !reveals(name));
  const endpoint = endpoints.find((each) => region === '' || each.region === region);
  if (endpoint === undefined) throw new NoEndpointError(regions);
  return { storage: parseStorageUrl(endpoint.url), regions };
}

/** How long something is valid, in milliseconds, by the server's own times: its clock and ours may differ. */
export function lifeOf(expires: unknown, issued: unknown, now: number): number | undefined {
  const end = Date.parse(text(expires) ?? '');
  if (Number.isNaN(end)) return undefined;
  const begin = Date.parse(text(issued) ?? '');
  return Math.max(0, end - (Number.isNaN(begin) ? now : begin));
}
