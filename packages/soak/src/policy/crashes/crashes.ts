import type { SoakResult } from '../../soak.js';
import { BucketSite, FileSite, type Site } from '../sites.js';
import { type CrashOptions, CrashRun } from './crash-run.js';

/** Kills hosts under load at random moments, on files and on an S3, and looks at what is left. */
export async function runCrashes(options: CrashOptions): Promise<SoakResult> {
  const run = new CrashRun(options);
  const onSite = async (create: () => Promise<Site>): Promise<void> => {
    await using site = await create();
    await run.on(site);
  };
  await Promise.all([onSite(FileSite.create), onSite(BucketSite.create)]);
  return { outcomes: run.traffic.outcomes(), judgements: run.judge() };
}
