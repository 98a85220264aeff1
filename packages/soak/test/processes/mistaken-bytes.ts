import type { HostMistake } from 'soak';

export const mistake: HostMistake = {
  cache: (cache) => ({
    async fetch(request, render) {
      const result = await cache.fetch(request, render);
      const whole = result.image.bytes.bind(result.image);
      result.image.bytes = async () => (await whole()).map((byte) => byte ^ 1);
      return result;
    },
    delete: (identity) => cache.delete(identity),
    health: () => cache.health(),
  }),
};
