import { decodeMetadata, type EntryMetadata, encodeMetadata } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';

const METADATA: EntryMetadata = { name: 'v1/x', contentType: 'image/png', size: 1, crc32: 1, created: 1 };

describe('a line break, which would end a header that a host makes of it', () => {
  it('is not encoded', () => {
    expect(() => encodeMetadata({ ...METADATA, etag: '"a"\r\nSet-Cookie: x=1' })).toThrow(
      /control character/,
    );
    expect(() => encodeMetadata({ ...METADATA, tags: ['a\u007f'] })).toThrow(/control character/);
  });

  it.each(['etag', 'lastmodified', 'cachecontrol', 'tags'])(
    'makes an entry corrupt that others wrote: %s',
    (field) => {
      const fields = { ...encodeMetadata(METADATA), [field]: 'a%0D%0ASet-Cookie:%20x=1' };
      expect(() => decodeMetadata(fields)).toThrow(expect.objectContaining({ code: 'ERR_CACHE_CORRUPT' }));
    },
  );
});
