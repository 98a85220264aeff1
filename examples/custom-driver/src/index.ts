import { type CacheDriverDefinition, defineCacheDriver } from '@imgproxy-cache/core/driver';
import { fileFaults } from './file-faults.js';
import { SqliteDriver } from './sqlite-driver.js';

const CONFIG = {
  file: {
    variable: 'IMGPROXY_CACHE_SQLITE_FILE',
    type: 'string',
    default: '',
    required: true,
    doc: 'The database. It is created where it does not exist, its folder is not: that may be the place of a disk that is not mounted.',
  },
  busyTimeout: {
    variable: 'IMGPROXY_CACHE_SQLITE_BUSY_TIMEOUT_SECONDS',
    type: 'decimal',
    default: 5,
    min: 0,
    max: 3600,
    doc: 'How long a store or a deletion waits while another process writes.',
  },
  keepReplaced: {
    variable: 'IMGPROXY_CACHE_SQLITE_KEEP_REPLACED_SECONDS',
    type: 'decimal',
    default: 300,
    min: 0,
    max: 86_400,
    doc: 'How long an image that was replaced or deleted stays in the file for those who are still reading it.',
  },
} as const;

/** The driver that `IMGPROXY_CACHE_USE=sqlite` selects. */
const sqlite: CacheDriverDefinition<typeof CONFIG> = defineCacheDriver({
  name: 'sqlite',
  contract: 1,
  config: CONFIG,
  capabilities: { shared: true },
  validate: ({ file }) => fileFaults(CONFIG.file.variable, file),
  create: (config, context) => new SqliteDriver(config, context),
});

export default sqlite;
