import { createHash } from 'node:crypto';
import { CacheKeyBuilder } from '@imgproxy-cache/core';
import { IMAGES } from '../bodies.js';
import { OUR_VERSION, requestOf } from '../peers/imgproxy-cache.js';
import type { Contestant, Table } from '../table.js';
import { NODE_VERSION } from '../versions.js';

const hot: Contestant = {
  name: 'CacheKeyBuilder, sources seen before',
  version: OUR_VERSION,
  settings: 'defaults',
  async open() {
    const keys = new CacheKeyBuilder();
    return { run: (index) => keys.build(requestOf(index % IMAGES)), close: async () => undefined };
  },
};

const cold: Contestant = {
  name: 'CacheKeyBuilder, new sources',
  version: OUR_VERSION,
  settings: 'defaults',
  async open() {
    const keys = new CacheKeyBuilder();
    return { run: (index) => keys.build(requestOf(index)), close: async () => undefined };
  },
};

const withHeaders: Contestant = {
  name: 'CacheKeyBuilder with a header and a cookie',
  version: OUR_VERSION,
  settings: 'headers: x-tenant; cookies: theme',
  async open() {
    const keys = new CacheKeyBuilder({ headers: ['x-tenant'], cookies: ['theme'] });
    const headers = {
      accept: 'image/webp',
      'x-tenant': 'a',
      cookie: 'session=1; theme=dark',
      host: 'localhost',
    };
    return {
      run: (index) => keys.build({ ...requestOf(index % IMAGES), headers }),
      close: async () => undefined,
    };
  },
};

const naive: Contestant = {
  name: 'SHA-256 of JSON.stringify',
  version: NODE_VERSION,
  settings: 'createHash, hex digest; one hash, no prefix to purge by',
  async open() {
    return {
      run: (index) =>
        createHash('sha256')
          .update(JSON.stringify(requestOf(index % IMAGES)))
          .digest('hex'),
      close: async () => undefined,
    };
  },
};

export const key: Table = {
  name: 'key',
  title: 'Making a key',
  operation: 'From a request to the name of its entry.',
  contestants: [hot, cold, withHeaders, naive],
  sizes: [0],
  inFlight: [1],
  goals: [],
};
