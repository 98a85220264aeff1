import { type CacheEntry, encodeMetadata } from '@imgproxy-cache/core/driver';
import type { HttpAnswer, HttpBody } from '@imgproxy-cache/http-transport';
import type { ContainerPresence } from './container-presence.js';
import { type ContainerRequests, encodedPath } from './container-requests.js';
import {
  discardBody,
  isOfSwift,
  NoContainerError,
  NotSwiftError,
  type StatusError,
  statusError,
} from './failures.js';

/** An object whose body is still to be read, or closed. */
export interface ObjectAnswer {
  /** By the names of its `x-object-meta-` headers. */
  readonly metadata: Readonly<Record<string, string>>;
  /** As far as the store says. */
  readonly size: number | undefined;
  readonly body: HttpBody;
}

/** What {@link Objects} needs. */
export interface ObjectParts {
  readonly requests: ContainerRequests;
  readonly presence: ContainerPresence;
  readonly container: string;
  /** Longest time of the pauses between attempts at one get, in milliseconds. */
  readonly longestLookupPause: number;
  /** In seconds; 0: never. */
  readonly deleteAfter: number;
}

const METADATA = 'x-object-meta-';

/** Reads and stores objects. */
export class Objects {
  readonly #parts: ObjectParts;

  constructor(parts: ObjectParts) {
    this.#parts = parts;
  }

  /** @returns `undefined` for an object that does not exist in a container that does */
  async get(name: string, signal: AbortSignal): Promise<ObjectAnswer | undefined> {
    const { requests, presence, longestLookupPause: longestWait } = this.#parts;
    const object = await requests.send({ method: 'GET', path: this.#path(name) }, readObject, {
      signal,
      longestWait,
    });
    if (object === undefined) await presence.assert();
    else presence.confirm();
    return object;
  }

  async put(name: string, { metadata, body }: CacheEntry, signal: AbortSignal): Promise<void> {
    const { requests, presence, deleteAfter } = this.#parts;
    const headers: Record<string, string> = {
      'content-type': metadata.contentType,
      'content-length': String(body.length),
    };
    const fields = encodeMetadata(metadata);
    for (const field in fields) headers[METADATA + field] = fields[field] ?? '';
    if (deleteAfter > 0) headers['x-delete-after'] = String(deleteAfter);
    await requests.send({ method: 'PUT', path: this.#path(name), headers, body }, confirmStored, { signal });
    presence.confirm();
  }

  #path(name: string): string {
    return `/${encodedPath(`${this.#parts.container}/${name}`)}`;
  }
}

async function readObject(answer: HttpAnswer): Promise<ObjectAnswer | undefined> {
  const { status, headers, body } = answer;
  if (status === 200) {
    const metadata = metadataOf(headers);
    if (isOfSwift(headers) || Object.keys(metadata).length > 0)
      return { metadata, size: sizeOf(headers), body };
    body.close();
    throw new NotSwiftError("an object without Swift's headers");
  }
  if (status !== 404 || !isOfSwift(headers)) throw refusal(await statusError(answer));
  await discardBody(answer);
  return undefined;
}

async function confirmStored(answer: HttpAnswer): Promise<void> {
  const { status, headers } = answer;
  const ofSwift = isOfSwift(headers);
  if (status === 201 && ofSwift) return await discardBody(answer);
  const error = await statusError(answer);
  if (status === 404 && ofSwift) throw new NoContainerError('no container');
  throw status === 202 && ofSwift ? error : refusal(error);
}

/** Statuses that Swift gives to no such request mean that something else answered. */
function refusal(error: StatusError): StatusError | NotSwiftError {
  if (error.status >= 400 && error.status !== 404) return error;
  return new NotSwiftError(`status ${error.status}${error.status < 300 ? '' : " without Swift's headers"}`);
}

function metadataOf(headers: HttpAnswer['headers']): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const name in headers) {
    if (name.startsWith(METADATA)) metadata[name.slice(METADATA.length)] = headers[name] ?? '';
  }
  return metadata;
}

function sizeOf(headers: HttpAnswer['headers']): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}
