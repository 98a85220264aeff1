import { bentocacheFileHit } from '../peers/bentocache.js';
import { cacacheHit } from '../peers/cacache.js';
import { fetchHit, onFiles } from '../peers/imgproxy-cache.js';
import { openFstatRead, readFileHit, readStreamHit } from '../peers/plain-files.js';
import type { Goal, Table } from '../table.js';

const ours = fetchHit({ name: 'ImageCache.fetch on fs', openStore: onFiles });
const ourStream = fetchHit({
  name: 'ImageCache.fetch on fs, streamed',
  openStore: onFiles,
  isStreamed: true,
});

function goal(peer: string, atLeast: number, bytes = 50_000, inFlight = 32): Goal {
  return { contestant: ours.name, peer, figure: 'operationsPerSecond', bytes, inFlight, atLeast };
}

export const fsHit: Table = {
  name: 'fs-hit',
  title: 'A hit on files',
  operation: 'Get one of 64 images that are in the page cache, whole.',
  contestants: [ours, openFstatRead, readFileHit, cacacheHit, bentocacheFileHit],
  sizes: [5_000, 50_000],
  inFlight: [1, 32],
  goals: [
    goal(openFstatRead.name, 0.75),
    goal(openFstatRead.name, 0.75, 50_000, 1),
    goal(openFstatRead.name, 0.75, 5_000),
    goal(openFstatRead.name, 0.75, 5_000, 1),
    goal(cacacheHit.name, 3),
  ],
};

export const fsLargeHit: Table = {
  name: 'fs-large-hit',
  title: 'A large hit on files',
  operation: 'Read one of 8 images of 20 MB that are in the page cache to its end, as a stream.',
  contestants: [ourStream, readStreamHit],
  sizes: [20_000_000],
  inFlight: [4],
  goals: [
    {
      contestant: ourStream.name,
      peer: readStreamHit.name,
      figure: 'operationsPerCpuSecond',
      bytes: 20_000_000,
      inFlight: 4,
      atLeast: 1,
    },
  ],
  effort: { rounds: 3, roundMilliseconds: 1000 },
};
