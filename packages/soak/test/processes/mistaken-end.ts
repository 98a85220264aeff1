import type { HostMistake } from 'soak';

/** A rendering that never ends. */
export const mistake: HostMistake = {
  cache(cache) {
    void cache.fetch({ source: 'https://images.example.com/slow.jpg' }, () => new Promise(() => undefined));
    return cache;
  },
};
