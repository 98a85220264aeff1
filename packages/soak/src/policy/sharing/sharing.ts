import type { SoakResult } from '../../soak.js';
import { BucketSite, FileSite } from '../sites.js';
import { type SharingOptions, SharingRun } from './sharing-run.js';

/** Hosts on one folder, whose size is limited, and on one bucket, with overlapping images. */
export async function runSharing(options: SharingOptions): Promise<SoakResult> {
  const run = new SharingRun(options);
  await using folder = await FileSite.create();
  await run.onFolder(folder);
  await using bucket = await BucketSite.create();
  await run.onBucket(bucket);
  return { outcomes: run.traffic.outcomes(), judgements: run.judge() };
}
