import { isImageContentType } from '../driver/metadata-codec.js';
import { wrongShape } from '../key/wrong-shape.js';
import type { CacheRequest } from './fetch-result.js';

/**
 * Checks the properties of a request that are not part of the image's identity, which the key builder checks.
 * @throws TypeError for a property of a wrong type
 * @throws RangeError for a ttl that is not a number of seconds, 0 or more
 */
export function checkRequest(request: CacheRequest, render: unknown): void {
  const { bypass, accepts, tags, ttl, signal } = request;
  if (typeof render !== 'function') {
    throw new TypeError('fetch needs a function that renders the image, as its second argument');
  }
  if (bypass !== undefined && typeof bypass !== 'boolean')
    throw wrongShape('bypass', bypass, 'true or false');
  if (accepts !== undefined && !isListOf(accepts, isImageContentType)) {
    throw wrongShape(
      'accepts',
      accepts,
      "an array of images' media types, in lower case and without parameters",
    );
  }
  if (tags !== undefined && !isListOf(tags, () => true))
    throw wrongShape('tags', tags, 'an array of strings');
  if (ttl !== undefined && !(typeof ttl === 'number' && ttl >= 0)) {
    throw new RangeError(`the ttl is ${String(ttl)}: it must be a number of seconds, or 0 for ever`);
  }
  if (signal !== undefined && !isSignal(signal)) throw wrongShape('signal', signal, 'an AbortSignal');
}

// By its properties, not its class: a test runner's realm has an AbortSignal of its own.
function isSignal(value: unknown): boolean {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}

function isListOf(value: unknown, isItem: (item: string) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && isItem(item));
}
