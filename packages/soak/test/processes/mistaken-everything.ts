/*
 * A host that serves wrong bytes, fails, stores entries that are not whole, litters and never ends its work.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostMistake } from 'soak';

const root = process.env['IMGPROXY_CACHE_FS_ROOT'];
let requests = 0;

export const mistake: HostMistake = {
  driver: (driver) => ({
    get: (name, options) => driver.get(name, options),
    async put(name, entry, options) {
      const body = entry.body.map((byte) => byte ^ 1);
      await driver.put(name, { metadata: entry.metadata, body }, options);
      if (root !== undefined) await writeFile(join(root, '.imgproxy-cache-tmp', 'litter'), 'litter');
    },
    delete: (names, options) => driver.delete(names, options),
    list: (prefix, options) => driver.list(prefix, options),
    check: (options) => driver.check?.(options) ?? Promise.resolve({ ok: true, findings: [] }),
    close: () => driver.close(),
  }),
  cache(cache) {
    void cache.fetch({ source: 'https://images.example.com/slow.jpg' }, () => new Promise(() => undefined));
    return {
      async fetch(request, render) {
        requests += 1;
        if (requests % 5 === 0) throw new Error('this host fails');
        const result = await cache.fetch(request, render);
        const right = result.image.body.bind(result.image);
        result.image.body = () => {
          const body = right();
          return body instanceof Uint8Array ? body.map((byte) => byte ^ 1) : body;
        };
        return result;
      },
      delete: (identity) => cache.delete(identity),
      health: () => cache.health(),
    };
  },
};
