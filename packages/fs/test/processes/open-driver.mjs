import { systemClock } from '@imgproxy-cache/core/driver';
import fs from '@imgproxy-cache/fs';

/** A driver on `root`, for a script that runs as a process of its own. */
export function openDriver(root, changes = {}, report = () => {}) {
  return fs.create(
    {
      root,
      bucket: '',
      sync: false,
      fileMode: '0600',
      folderMode: '0700',
      maxSize: 0,
      minFreeSpace: 0,
      ...changes,
    },
    {
      report,
      clock: systemClock,
      reservedName: 'images/v1/check',
    },
  );
}
