import type { TableSettings } from './table-row.js';

/** The cache as it is shipped. */
export const FULL_TABLE: TableSettings = {
  duration: 8000,
  deadline: 1000,
  patience: 60_000,
  recoveryPatience: 60_000,
  env: {},
};

/** Everything in less than half of the time. */
export const BRIEF_TABLE: TableSettings = {
  duration: 800,
  deadline: 400,
  patience: 60_000,
  recoveryPatience: 60_000,
  env: {
    IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '0.4',
    IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '2',
    IMGPROXY_CACHE_BREAKER_WINDOW_SECONDS: '2',
    IMGPROXY_CACHE_BREAKER_RETRY_SECONDS: '0.2',
    IMGPROXY_CACHE_BREAKER_MAX_RETRY_SECONDS: '1',
  },
};
