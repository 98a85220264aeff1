import { crc32 } from 'node:zlib';
import {
  BufferedEntry,
  createEntry,
  type EntryMetadata,
  readVerified,
  type StoredEntry,
  StreamedEntry,
  streamVerified,
  verifyBody,
  verifyName,
} from '@imgproxy-cache/core/driver';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const CORRUPT = expect.objectContaining({ code: 'ERR_CACHE_CORRUPT', operation: 'get', retryable: false });

function entryOf(body: Uint8Array): EntryMetadata {
  return createEntry({ name: 'v1/a', contentType: 'image/png', created: 0 }, body).metadata;
}

/** An entry that comes in chunks of these sizes, and then the rest. */
function chunked(metadata: EntryMetadata, body: Uint8Array, sizes: readonly number[]): StoredEntry {
  return new StreamedEntry(metadata, {
    bytes: async () => body,
    async *chunks() {
      let offset = 0;
      for (const size of sizes) {
        yield body.subarray(offset, offset + size);
        offset += size;
      }
      if (offset < body.length) yield body.subarray(offset);
    },
    close: async () => undefined,
  });
}

interface Received {
  readonly bytes: Buffer;
  readonly error: unknown;
}

async function receive(stream: AsyncIterable<Uint8Array>): Promise<Received> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
    return { bytes: Buffer.concat(chunks), error: undefined };
  } catch (error) {
    return { bytes: Buffer.concat(chunks), error };
  }
}

const body = fc.uint8Array({ minLength: 1, maxLength: 50 });
const sizes = fc.array(fc.nat(20), { maxLength: 6 });

/** What may happen to a body in a store: one bit, its end, something after its end, everything. */
const damaged = fc
  .tuple(body, fc.nat(), fc.nat(7), fc.constantFrom('flip', 'cut', 'extend', 'empty', 'replace'))
  .map(([whole, position, bit, damage]) => {
    const at = position % whole.length;
    const copy = Uint8Array.from(whole);
    switch (damage) {
      case 'flip':
        copy[at] = (copy[at] ?? 0) ^ (1 << bit);
        return { whole, stored: copy };
      case 'cut':
        return { whole, stored: copy.subarray(0, at) };
      case 'extend':
        return { whole, stored: Buffer.concat([copy, copy.subarray(0, at + 1)]) };
      case 'empty':
        return { whole, stored: new Uint8Array() };
      default:
        return { whole, stored: copy.map((byte) => byte ^ 0xff) };
    }
  });

describe('an entry', () => {
  it('is made with the size and the CRC-32 of its body', () => {
    const { metadata, body: kept } = createEntry(
      { name: 'v1/a', contentType: 'image/png', created: 5, etag: '"e"' },
      Buffer.from('123456789'),
    );
    expect(metadata).toEqual({
      name: 'v1/a',
      contentType: 'image/png',
      created: 5,
      etag: '"e"',
      size: 9,
      crc32: 0xcbf43926,
    });
    expect(crc32(kept)).toBe(metadata.crc32);
  });

  it('is not served under another name than its own', () => {
    const metadata = entryOf(Uint8Array.of(1));
    verifyName(metadata, 'v1/a');
    expect(() => verifyName(metadata, 'v1/b')).toThrow(CORRUPT);
    expect(() => verifyName(metadata, 'v1/b')).toThrow(
      'entry v1/b is corrupt: it was stored under the name v1/a',
    );
  });
});

describe('a whole body', () => {
  it('passes when it is what was stored', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (whole) => {
        verifyBody(entryOf(whole), whole);
        expect(Buffer.compare(await readVerified(chunked(entryOf(whole), whole, [])), whole)).toBe(0);
      }),
    );
  });

  it('never passes when it is not', async () => {
    await fc.assert(
      fc.asyncProperty(damaged, async ({ whole, stored }) => {
        expect(() => verifyBody(entryOf(whole), stored)).toThrow(CORRUPT);
        await expect(readVerified(chunked(entryOf(whole), stored, []))).rejects.toEqual(CORRUPT);
        await expect(readVerified(new BufferedEntry(entryOf(whole), stored, false))).rejects.toEqual(CORRUPT);
      }),
    );
  });

  it('says how long it is and should be, or that its CRC-32 is another', () => {
    const metadata = entryOf(Uint8Array.of(1, 2));
    expect(() => verifyBody(metadata, Uint8Array.of(1))).toThrow(
      'entry v1/a is corrupt: its body has 1 bytes instead of 2',
    );
    expect(() => verifyBody(metadata, Uint8Array.of(1, 3))).toThrow(
      'entry v1/a is corrupt: its body does not have its CRC-32',
    );
  });

  it('is not read again where the driver vouches for it', async () => {
    const wrong = Uint8Array.of(9);
    expect(await readVerified(new BufferedEntry(entryOf(Uint8Array.of(1)), wrong, true))).toBe(wrong);
  });

  it('is consumed by its verification, with the signal of the caller', async () => {
    const entry = new BufferedEntry(entryOf(Uint8Array.of(1)), Uint8Array.of(1), false);
    await expect(readVerified(entry, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_CACHE_ABORTED',
    });
    await expect(readVerified(entry)).rejects.toMatchObject({ code: 'ERR_CACHE_DRIVER_CONTRACT' });
  });
});

describe('a streamed body', () => {
  it('comes whole when it is what was stored, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 50 }), sizes, async (whole, cuts) => {
        const { bytes, error } = await receive(streamVerified(chunked(entryOf(whole), whole, cuts)));
        expect(error).toBeUndefined();
        expect(Buffer.compare(bytes, whole)).toBe(0);
      }),
    );
  });

  it('never ends cleanly when it is not, and its last chunk is held back', async () => {
    await fc.assert(
      fc.asyncProperty(damaged, sizes, async ({ whole, stored }, cuts) => {
        const { bytes, error } = await receive(streamVerified(chunked(entryOf(whole), stored, cuts)));
        expect(error).toEqual(CORRUPT);
        expect(bytes.length).toBeLessThan(whole.length);
        expect(Buffer.compare(bytes, stored.subarray(0, bytes.length))).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('is read no further than it is too long, and its source is released', async () => {
    const whole = Uint8Array.of(1, 2, 3);
    let reads = 0;
    let closed = 0;
    const entry = new StreamedEntry(entryOf(whole), {
      bytes: async () => whole,
      async *chunks() {
        for (;;) {
          reads++;
          yield Uint8Array.of(reads);
        }
      },
      close: async () => void closed++,
    });
    const { bytes, error } = await receive(streamVerified(entry));
    expect(error).toEqual(CORRUPT);
    expect([...bytes]).toEqual([1, 2]);
    expect(reads).toBe(4);
    expect(closed).toBe(1);
  });

  it('passes on what its source fails with', async () => {
    const failure = new Error('connection reset');
    const entry = new StreamedEntry(entryOf(Uint8Array.of(1, 2, 3)), {
      bytes: async () => new Uint8Array(),
      async *chunks() {
        yield Uint8Array.of(1);
        yield Uint8Array.of(2);
        throw failure;
      },
      close: async () => undefined,
    });
    const { bytes, error } = await receive(streamVerified(entry));
    expect(error).toBe(failure);
    expect([...bytes]).toEqual([1]);
  });

  it('of no bytes at all is nothing, and corrupt where one was stored', async () => {
    const empty = new Uint8Array();
    expect(await receive(streamVerified(chunked(entryOf(empty), empty, [])))).toEqual({
      bytes: Buffer.alloc(0),
      error: undefined,
    });
    const wrong = { ...entryOf(empty), crc32: 1 };
    expect((await receive(streamVerified(chunked(wrong, empty, [])))).error).toEqual(CORRUPT);
  });
});
