import type { HostMistake } from 'soak';

let requests = 0;

/** Once something is wrong with the store, every fifth request is never answered. */
export const mistake: HostMistake = {
  cache: (cache) => ({
    async fetch(request, render) {
      requests += 1;
      if (cache.health().status !== 'healthy' && requests % 5 === 0) await new Promise(() => undefined);
      return await cache.fetch(request, render);
    },
    delete: (identity) => cache.delete(identity),
    health: () => cache.health(),
  }),
};
