import type { CheckFinding } from '@imgproxy-cache/core/driver';
import { statfs } from '../fs-calls.js';
import type { SpaceLimits } from './eviction.js';

// A smaller free share is reported.
const SCARCE = 0.01;

/** Findings of `check()` about the space of the file system. */
export async function checkSpace(root: string, limits: SpaceLimits): Promise<CheckFinding[]> {
  try {
    const { blocks, bavail, bsize, files, ffree } = await statfs(root);
    const scarce: string[] = [];
    if (bavail < blocks * SCARCE) scarce.push('bytes');
    if (ffree < files * SCARCE) scarce.push('inodes');
    const messages = problemsOfLimits(limits, blocks * bsize, bavail * bsize, root);
    if (scarce.length > 0) {
      messages.push(
        `less than 1 % of the ${scarce.join(' and ')} of the file system of ${root} are left: delete old entries or enlarge it`,
      );
    }
    return messages.map((message) => ({ level: 'warning', subject: 'space', message }));
  } catch {
    // The round trip has reported a missing root already.
    return [];
  }
}

function problemsOfLimits(
  { maxSize, minFreeSpace }: SpaceLimits,
  capacity: number,
  free: number,
  root: string,
): string[] {
  const problems: string[] = [];
  if (maxSize > capacity) {
    problems.push(
      `IMGPROXY_CACHE_FS_MAX_SIZE is ${maxSize}, but the file system of ${root} has ${capacity} bytes: it will be full before, lower the limit or set IMGPROXY_CACHE_FS_MIN_FREE_SPACE`,
    );
  }
  if (minFreeSpace > capacity) {
    problems.push(
      `IMGPROXY_CACHE_FS_MIN_FREE_SPACE is ${minFreeSpace}, but the file system of ${root} has ${capacity} bytes: no entry will stay, lower it`,
    );
  } else if (minFreeSpace > free) {
    problems.push(
      `IMGPROXY_CACHE_FS_MIN_FREE_SPACE is ${minFreeSpace}, but of the file system of ${root} only ${free} bytes are free: entries are evicted until it is reached`,
    );
  }
  return problems;
}
