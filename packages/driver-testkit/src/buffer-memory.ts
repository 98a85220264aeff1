import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Another thread frees collected buffers a moment later.
const PAUSE_MS = 10;
const MOST_LOOKS = 50;

let collectGarbage: (() => void) | undefined;

/** Bytes of all reachable buffers. */
export async function bufferBytesInUse(): Promise<number> {
  if (collectGarbage === undefined) {
    setFlagsFromString('--expose-gc');
    collectGarbage = runInNewContext('gc') as () => void;
  }
  let bytes = Number.POSITIVE_INFINITY;
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    collectGarbage();
    await delay(PAUSE_MS);
    const { arrayBuffers } = process.memoryUsage();
    if (arrayBuffers === bytes) break;
    bytes = arrayBuffers;
  }
  return bytes;
}
