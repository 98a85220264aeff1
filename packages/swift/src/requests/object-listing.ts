import type { HttpAnswer } from '@imgproxy-cache/http-transport';
import { field, parsedJson, text } from '../json-document.js';
import type { ContainerPresence } from './container-presence.js';
import { type ContainerRequests, encodedPath } from './container-requests.js';
import { isOfSwift, NoContainerError, NotSwiftError, statusError } from './failures.js';

const PAGE = 1000;
// A name has up to 1,024 bytes, each of which JSON may escape.
const LIMITS = { maxBytes: 16 * 1024 * 1024, timeout: 600_000 };

/** Lists objects page by page. */
export class ObjectListing {
  readonly #requests: ContainerRequests;
  readonly #presence: ContainerPresence;
  readonly #container: string;

  constructor(requests: ContainerRequests, presence: ContainerPresence, container: string) {
    this.#requests = requests;
    this.#presence = presence;
    this.#container = container;
  }

  /**
   * The names of one page, in the store's order. Only an empty page is the last: a store may give fewer than it is asked
   * for.
   * @param after the last name of the page before; blank: from the beginning
   * @throws NoContainerError, NotSwiftError, and what a request throws
   */
  async page(prefix: string, after: string, signal: AbortSignal): Promise<readonly string[]> {
    const query = `format=json&limit=${PAGE}&prefix=${encodeURIComponent(prefix)}&marker=${encodeURIComponent(after)}`;
    const path = `/${encodedPath(this.#container)}?${query}`;
    try {
      const names = await this.#requests.send({ method: 'GET', path }, readPage, { signal });
      this.#presence.confirm();
      if (after !== '' && names.at(-1) === after) throw new NotSwiftError('a listing that does not go on');
      return names;
    } catch (error) {
      if (error instanceof NoContainerError) this.#presence.refute();
      throw error;
    }
  }
}

async function readPage(answer: HttpAnswer): Promise<readonly string[]> {
  const { status, headers, body } = answer;
  if (status === 204 && isOfSwift(headers)) {
    body.close();
    return [];
  }
  if (status !== 200) {
    const error = await statusError(answer);
    if (status === 404 && isOfSwift(headers)) throw new NoContainerError('no container');
    throw status === 404 ? new NotSwiftError("status 404 without Swift's headers") : error;
  }
  const { bytes, whole } = await body.read(LIMITS);
  const document = whole && isOfSwift(headers) ? parsedJson(bytes) : undefined;
  if (!Array.isArray(document)) throw new NotSwiftError('a listing that is none');
  return document.flatMap((object: unknown) => text(field(object, 'name')) ?? []);
}
