import type { TableSettings } from './table-cell.js';

/** The cache as it is shipped. */
export const FULL_TABLE: TableSettings = {
  deadlines: { lookup: 1000, silence: 10_000 },
  duration: 12_000,
  rate: 60,
  patience: 60_000,
  recoveryPatience: 60_000,
  env: {},
};

/** Everything in a fraction of the time. */
export const BRIEF_TABLE: TableSettings = {
  deadlines: { lookup: 400, silence: 1000 },
  duration: 3000,
  rate: 60,
  patience: 10_000,
  recoveryPatience: 60_000,
  env: {
    IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '0.4',
    IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '2',
    IMGPROXY_CACHE_S3_IDLE_TIMEOUT_SECONDS: '1',
    IMGPROXY_CACHE_BREAKER_WINDOW_SECONDS: '2',
    IMGPROXY_CACHE_BREAKER_RETRY_SECONDS: '0.2',
    IMGPROXY_CACHE_BREAKER_MAX_RETRY_SECONDS: '1',
  },
};
