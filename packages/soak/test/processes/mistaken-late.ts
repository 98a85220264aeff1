import { setTimeout as delay } from 'node:timers/promises';
import type { HostMistake } from 'soak';

export const mistake: HostMistake = {
  cache: (cache) => ({
    async fetch(request, render) {
      await delay(10);
      return await cache.fetch(request, render);
    },
    delete: (identity) => cache.delete(identity),
    health: () => cache.health(),
  }),
};
