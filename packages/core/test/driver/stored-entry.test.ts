import {
  type BodySource,
  BufferedEntry,
  CacheError,
  createEntry,
  type StoredEntry,
  StreamedEntry,
} from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';

const BODY = Uint8Array.from({ length: 10 }, (_, index) => index);
const { metadata } = createEntry({ name: 'a', contentType: 'image/png', created: 0 }, BODY);

/** A source as a driver has it: it obeys its signal and notes what is done to it. */
class NotedSource implements BodySource {
  readonly log: string[] = [];
  readonly reading = Promise.withResolvers<void>();
  /** Where set, a read waits for its signal instead. */
  hangs = false;
  /** Where set, a read fails. */
  failure: Error | undefined;

  async bytes(signal: AbortSignal): Promise<Uint8Array> {
    await this.#read(signal);
    return BODY;
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    for (let offset = 0; offset < BODY.length; offset += 4) {
      await this.#read(signal);
      yield BODY.subarray(offset, offset + 4);
    }
  }

  async close(): Promise<void> {
    this.log.push('close');
  }

  async #read(signal: AbortSignal): Promise<void> {
    this.log.push('read');
    this.reading.resolve();
    if (this.failure !== undefined) throw this.failure;
    if (!this.hangs) return;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.log.push('end of read');
    throw new Error('the source was interrupted');
  }
}

async function collect(entry: StoredEntry, signal?: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.stream({ signal })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

type Consumption = (entry: StoredEntry, signal?: AbortSignal) => Promise<Uint8Array>;

const CONSUMPTIONS: readonly (readonly [string, Consumption])[] = [
  ['bytes', (entry, signal) => entry.bytes({ signal })],
  ['stream', collect],
];

const ENTRIES: readonly (readonly [string, () => StoredEntry])[] = [
  ['a buffered entry', () => new BufferedEntry(metadata, BODY, true)],
  ['a streamed entry', () => new StreamedEntry(metadata, new NotedSource())],
];

describe.each(ENTRIES)('%s', (_kind, make) => {
  describe.each(CONSUMPTIONS)('read as %s', (_way, consume) => {
    it('gives the whole body', async () => {
      expect(Buffer.compare(await consume(make()), BODY)).toBe(0);
    });

    it.each(CONSUMPTIONS)('is consumed, for %s too', async (_second, again) => {
      const entry = make();
      await consume(entry);
      await expect(async () => again(entry)).rejects.toMatchObject({
        code: 'ERR_CACHE_DRIVER_CONTRACT',
        message: 'the body of this entry was already consumed: get the entry again to read it a second time',
      });
    });

    it('gives nothing once it was discarded', async () => {
      const entry = make();
      await entry.discard();
      await expect(async () => consume(entry)).rejects.toMatchObject({ code: 'ERR_CACHE_DRIVER_CONTRACT' });
    });

    it('may be discarded and disposed of afterwards, any number of times', async () => {
      const entry = make();
      await consume(entry);
      await entry.discard();
      await entry.discard();
      await entry[Symbol.asyncDispose]();
    });

    it('rejects where the caller had aborted before', async () => {
      const reason = new Error('gone');
      await expect(consume(make(), AbortSignal.abort(reason))).rejects.toMatchObject({
        code: 'ERR_CACHE_ABORTED',
        operation: 'get',
        cause: reason,
      });
    });
  });

  it('streams no further once the caller aborts', async () => {
    const controller = new AbortController();
    const large =
      make() instanceof BufferedEntry ? new BufferedEntry(metadata, new Uint8Array(200_000), true) : make();
    let chunks = 0;
    await expect(async () => {
      for await (const _chunk of large.stream({ signal: controller.signal })) {
        chunks++;
        controller.abort();
      }
    }).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
    expect(chunks).toBe(1);
  });
});

describe('a buffered entry', () => {
  it('says whether its driver has verified the body', () => {
    expect(new BufferedEntry(metadata, BODY, true).verified).toBe(true);
    expect(new BufferedEntry(metadata, BODY, false).verified).toBe(false);
  });

  it('streams a large body in chunks, and an empty one as none', async () => {
    const large = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);
    const sizes: number[] = [];
    for await (const chunk of new BufferedEntry(metadata, large, true).stream()) sizes.push(chunk.length);
    expect(sizes).toEqual([65_536, 65_536, 65_536, 3392]);
    expect(Buffer.compare(await collect(new BufferedEntry(metadata, large, true)), large)).toBe(0);
    expect(await collect(new BufferedEntry(metadata, new Uint8Array(), true))).toHaveLength(0);
  });

  it('without a single byte rejects too where the caller had aborted before', async () => {
    const entry = new BufferedEntry(metadata, new Uint8Array(), true);
    await expect(collect(entry, AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
  });
});

describe('a streamed entry releases its source, once and never while it is being read,', () => {
  it.each(CONSUMPTIONS)('after a whole reading: %s', async (_way, consume) => {
    const source = new NotedSource();
    const entry = new StreamedEntry(metadata, source);
    await consume(entry);
    await entry.discard();
    expect(source.log.filter((line) => line === 'close')).toEqual(['close']);
    expect(source.log.at(-1)).toBe('close');
  });

  it('when nobody consumes it', async () => {
    const source = new NotedSource();
    {
      await using entry = new StreamedEntry(metadata, source);
      expect(entry.metadata).toBe(metadata);
    }
    expect(source.log).toEqual(['close']);
  });

  it('when a stream was asked for and never read', async () => {
    const source = new NotedSource();
    const entry = new StreamedEntry(metadata, source);
    entry.stream();
    await entry.discard();
    expect(source.log).toEqual(['close']);
  });

  it('when it is discarded between two reads, and reads no more', async () => {
    const source = new NotedSource();
    const entry = new StreamedEntry(metadata, source);
    const chunks = entry.stream()[Symbol.asyncIterator]();
    await chunks.next();
    await entry.discard();
    await expect(chunks.next()).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
    expect(source.log).toEqual(['read', 'close']);
  });

  it('when a stream is left early', async () => {
    const source = new NotedSource();
    for await (const _chunk of new StreamedEntry(metadata, source).stream()) break;
    expect(source.log).toEqual(['read', 'close']);
  });

  it.each(CONSUMPTIONS)('when reading fails, with the error as it came: %s', async (_way, consume) => {
    const source = new NotedSource();
    source.failure = new CacheError('ERR_CACHE_UNAVAILABLE', 'connection reset');
    await expect(consume(new StreamedEntry(metadata, source))).rejects.toBe(source.failure);
    expect(source.log).toEqual(['read', 'close']);
  });

  it.each(CONSUMPTIONS)('when the caller had aborted before, without reading: %s', async (_way, consume) => {
    const source = new NotedSource();
    source.failure = new Error('nobody listens to this');
    await expect(consume(new StreamedEntry(metadata, source), AbortSignal.abort())).rejects.toMatchObject({
      code: 'ERR_CACHE_ABORTED',
    });
    expect(source.log).toEqual(['close']);
  });

  it.each(CONSUMPTIONS)('when the caller aborts while a read hangs: %s', async (_way, consume) => {
    const source = new NotedSource();
    source.hangs = true;
    const controller = new AbortController();
    const consumed = consume(new StreamedEntry(metadata, source), controller.signal);
    await source.reading.promise;
    controller.abort(new Error('gone'));
    await expect(consumed).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED', cause: { message: 'gone' } });
    expect(source.log).toEqual(['read', 'end of read', 'close']);
  });

  it.each(CONSUMPTIONS)('when it is discarded while a read hangs: %s', async (_way, consume) => {
    const source = new NotedSource();
    source.hangs = true;
    const entry = new StreamedEntry(metadata, source);
    const consumed = consume(entry);
    const failed = expect(consumed).rejects.toThrow('the source was interrupted');
    await source.reading.promise;
    await entry.discard();
    expect(source.log).toEqual(['read', 'end of read', 'close']);
    await failed;
  });
});
