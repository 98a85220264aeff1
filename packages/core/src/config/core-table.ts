import type { ConfigTable } from '../driver/index.js';

/**
 * Core's own variables. The names, defaults and meanings of the first group are imgproxy's; the second group
 * is ours.
 */
export const CORE_TABLE = {
  use: {
    variable: 'IMGPROXY_CACHE_USE',
    type: 'string',
    default: '',
    doc: 'The driver: memory, fs, s3 or the name of an installed one. Blank turns the cache off.',
  },
  bucket: {
    variable: 'IMGPROXY_CACHE_BUCKET',
    type: 'string',
    default: '',
    doc: 'The bucket or container; with the fs driver one more folder under the root.',
  },
  prefix: {
    variable: 'IMGPROXY_CACHE_PATH_PREFIX',
    type: 'string',
    default: '',
    doc: 'What the names of all entries begin with, at most 128 characters.',
  },
  keyHeaders: {
    variable: 'IMGPROXY_CACHE_KEY_HEADERS',
    type: 'list',
    default: [],
    doc: 'Request headers whose values are part of the key.',
  },
  keyCookies: {
    variable: 'IMGPROXY_CACHE_KEY_COOKIES',
    type: 'list',
    default: [],
    doc: 'Cookies whose values are part of the key.',
  },
  reportErrors: {
    variable: 'IMGPROXY_CACHE_REPORT_ERRORS',
    type: 'boolean',
    default: false,
    doc: 'Whether a request fails when the cache does. By default the image is rendered without the cache.',
  },
  keyNamespace: {
    variable: 'IMGPROXY_CACHE_KEY_NAMESPACE',
    type: 'string',
    default: '',
    doc: 'Part of every key. Change it when settings of the renderer change, such as a default quality.',
  },
  lookupTimeoutSeconds: {
    variable: 'IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS',
    type: 'decimal',
    default: 1,
    min: 0.001,
    max: 3600,
    doc: 'How long a request waits for a look-up before it renders without the cache.',
  },
  storeTimeoutSeconds: {
    variable: 'IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS',
    type: 'decimal',
    default: 30,
    min: 0.001,
    max: 3600,
    doc: 'How long storing one image may take.',
  },
  maxEntrySize: {
    variable: 'IMGPROXY_CACHE_MAX_ENTRY_SIZE',
    type: 'integer',
    default: 33_554_432,
    min: 1,
    doc: 'The largest image that is stored, in bytes. Larger ones are served and not stored.',
  },
  verifyBytes: {
    variable: 'IMGPROXY_CACHE_VERIFY_BYTES',
    type: 'integer',
    default: 1_048_576,
    min: 0,
    doc: 'Up to this size, in bytes, a stored image is read and verified whole before its first byte is served.',
  },
  maxBytesInFlight: {
    variable: 'IMGPROXY_CACHE_MAX_BYTES_IN_FLIGHT',
    type: 'integer',
    default: 268_435_456,
    min: 1,
    doc: 'How many bytes of images the cache holds at once while they are read, collected and stored. Past it, images are served and not stored.',
  },
  queueMaxBytes: {
    variable: 'IMGPROXY_CACHE_STORE_QUEUE_MAX_BYTES',
    type: 'integer',
    default: 67_108_864,
    min: 0,
    doc: 'How many bytes of images may wait to be stored. Past it, images are served and not stored.',
  },
  queueMaxEntries: {
    variable: 'IMGPROXY_CACHE_STORE_QUEUE_MAX_ENTRIES',
    type: 'integer',
    default: 1000,
    min: 0,
    doc: 'How many images may wait to be stored.',
  },
  storeConcurrency: {
    variable: 'IMGPROXY_CACHE_STORE_CONCURRENCY',
    type: 'integer',
    default: 16,
    min: 1,
    max: 1000,
    doc: 'How many images are stored at the same time.',
  },
  drainTimeoutSeconds: {
    variable: 'IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS',
    type: 'decimal',
    default: 10,
    min: 0,
    max: 3600,
    doc: 'How long a stop waits for images that are still to be stored.',
  },
  logIntervalSeconds: {
    variable: 'IMGPROXY_CACHE_LOG_INTERVAL_SECONDS',
    type: 'decimal',
    default: 60,
    min: 0,
    max: 86_400,
    doc: 'How long an error of one kind is not logged again after it was logged.',
  },
} as const satisfies ConfigTable;
