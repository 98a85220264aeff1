import { defineCacheDriver } from '@imgproxy-cache/core/driver';
import { CacheLayout } from './cache-layout.js';
import { findFaults, fsConfig } from './fs-config.js';
import { FsDriver } from './fs-driver.js';

export type { FsConfig } from './fs-config.js';

/** Keeps entries as files below a folder: `IMGPROXY_CACHE_USE=fs`. */
export default defineCacheDriver({
  name: 'fs',
  contract: 1,
  config: fsConfig,
  capabilities: { shared: true },
  validate: findFaults,
  create({ root, bucket, sync, fileMode, folderMode, maxSize, minFreeSpace }, context) {
    const layout = new CacheLayout(root, bucket);
    if (layout.root === '/') {
      const message =
        'IMGPROXY_CACHE_FS_ROOT is "/": the cache shares the root of the file system with everything else';
      context.report({ kind: 'root-is-slash', level: 'warn', message });
    }
    return new FsDriver(
      layout,
      {
        sync,
        fileMode: Number.parseInt(fileMode, 8),
        folderMode: Number.parseInt(folderMode, 8),
        limits: { maxSize, minFreeSpace },
      },
      context,
    );
  },
});
