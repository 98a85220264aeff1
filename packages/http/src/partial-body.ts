import { addAbortSignal, PassThrough, pipeline, type Readable } from 'node:stream';

/** The default of `IMGPROXY_CACHE_MAX_ENTRY_SIZE`, in bytes. */
export const MAX_COLLECTED_BYTES = 33_554_432;

/**
 * Reads a body to its end, up to a limit.
 * @param signal destroys the body, also after the limit
 * @returns the whole body, or if it is larger than the limit a stream of all of it
 * @throws the error of the body
 */
export async function collectUpTo(
  body: Readable,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array | Readable> {
  if (signal !== undefined) addAbortSignal(signal, body);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Uint8Array);
    size += (chunk as Uint8Array).length;
    if (size > limit) return joined(chunks, body);
  }
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, size);
}

function joined(chunks: readonly Uint8Array[], rest: Readable): Readable {
  const whole = new PassThrough();
  for (const chunk of chunks) whole.write(chunk);
  // The error goes to the reader of the whole.
  pipeline(rest, whole, () => undefined);
  return whole;
}

/**
 * Reads a body that no client gets to its end, so that the cache can store it.
 * @param limit bytes after which it is too large to be stored anyway, and is destroyed
 */
export function drain(body: Readable, limit: number): void {
  let size = 0;
  body.on('error', () => undefined);
  body.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
    if (size > limit) body.destroy();
  });
}
