import type { HostMistake } from 'soak';

export const mistake: HostMistake = {
  cache: (cache) => ({
    async fetch(request, render) {
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
  }),
};
