import type { ConfigFault, ConfigTable, ConfigValues } from '@imgproxy-cache/core/driver';
import { versionInUrl } from './authentication/auth-version.js';

/** The driver's variables. */
export const swiftConfig = {
  bucket: {
    variable: 'IMGPROXY_CACHE_BUCKET',
    type: 'string',
    default: '',
    required: true,
    doc: 'The container that holds the cache. It must exist.',
  },
  authUrl: {
    variable: 'IMGPROXY_CACHE_SWIFT_AUTH_URL',
    type: 'string',
    default: '',
    required: true,
    doc: 'Where to authenticate, such as https://keystone.example.com/v3 or https://swift.example.com/auth/v1.0.',
  },
  authVersion: {
    variable: 'IMGPROXY_CACHE_SWIFT_AUTH_VERSION',
    type: 'integer',
    default: 0,
    min: 0,
    max: 3,
    doc: 'The version of the authentication: 1 (TempAuth), 2 or 3 (Keystone). 0 finds it in the URL or, if the URL has none, by asking the server.',
  },
  username: {
    variable: 'IMGPROXY_CACHE_SWIFT_USERNAME',
    type: 'string',
    default: '',
    required: true,
    doc: 'The user; with version 1 account:user.',
  },
  apiKey: {
    variable: 'IMGPROXY_CACHE_SWIFT_API_KEY',
    type: 'string',
    default: '',
    required: true,
    secret: true,
    doc: 'The password or API key of the user.',
  },
  tenant: {
    variable: 'IMGPROXY_CACHE_SWIFT_TENANT',
    type: 'string',
    default: '',
    doc: "The name of the project (tenant), with versions 2 and 3. Blank: the user's default project.",
  },
  domain: {
    variable: 'IMGPROXY_CACHE_SWIFT_DOMAIN',
    type: 'string',
    default: '',
    doc: 'The name of the domain of user and project, with version 3. Case counts. Blank or default: the domain whose id is default.',
  },
  region: {
    variable: 'IMGPROXY_CACHE_SWIFT_REGION',
    type: 'string',
    default: '',
    doc: 'The region of the container, with versions 2 and 3. Blank: the first of the catalogue.',
  },
  timeout: {
    variable: 'IMGPROXY_CACHE_SWIFT_TIMEOUT_SECONDS',
    type: 'integer',
    default: 60,
    min: 1,
    max: 86_400,
    doc: 'Longest time from a request to the first byte of its answer, longest wait for a body that brings nothing or fewer than 1,024 bytes a second, and longest time to authenticate, each in seconds. A slow reader of ours does not count. A request has up to three attempts.',
  },
  connectTimeout: {
    variable: 'IMGPROXY_CACHE_SWIFT_CONNECT_TIMEOUT_SECONDS',
    type: 'integer',
    default: 10,
    min: 1,
    max: 86_400,
    doc: 'Longest time to make a connection, TLS included, in seconds.',
  },
  deleteAfter: {
    variable: 'IMGPROXY_CACHE_SWIFT_DELETE_AFTER_SECONDS',
    type: 'integer',
    default: 0,
    min: 0,
    max: 2_147_483_647,
    doc: 'After how many seconds Swift itself deletes an image (X-Delete-After). 0: never.',
  },
  maxSockets: {
    variable: 'IMGPROXY_CACHE_SWIFT_MAX_SOCKETS',
    type: 'integer',
    default: 128,
    min: 1,
    max: 10_000,
    doc: 'Most connections to the store at a time. More requests wait for one.',
  },
} as const satisfies ConfigTable;

/** Values of {@link swiftConfig}. */
export type SwiftConfig = ConfigValues<typeof swiftConfig>;

const MAX_CONTAINER_BYTES = 256;
// What no HTTP header can carry: with version 1 user and key are headers.
const NOT_IN_HEADERS = /[^\x20-\x7e]|^ | $/;

/** What is wrong with values that parse. */
export function findFaults(config: SwiftConfig): readonly ConfigFault[] {
  const problems: readonly (readonly [keyof typeof swiftConfig, string | undefined])[] = [
    ['bucket', problemOfContainer(config.bucket)],
    ['authUrl', problemOfUrl(config.authUrl)],
    ['username', problemOfHeader(config, 'username')],
    ['apiKey', problemOfHeader(config, 'apiKey')],
  ];
  return problems.flatMap(([property, message]) =>
    message === undefined ? [] : [{ variable: swiftConfig[property].variable, message }],
  );
}

function problemOfContainer(name: string): string | undefined {
  if (!name.includes('/') && name.isWellFormed() && Buffer.byteLength(name) <= MAX_CONTAINER_BYTES) {
    return undefined;
  }
  return `${JSON.stringify(name)} is not a container's name: it takes up to ${MAX_CONTAINER_BYTES} bytes without "/"`;
}

function problemOfUrl(text: string): string | undefined {
  const form = 'it takes http(s)://host[:port]/path';
  if (!URL.canParse(text)) return `is not a URL: ${form}`;
  const url = new URL(text);
  // What stands before an @ is a password, so the text is not repeated.
  if (url.username !== '' || url.password !== '') {
    return 'contains a user or password: set IMGPROXY_CACHE_SWIFT_USERNAME and IMGPROXY_CACHE_SWIFT_API_KEY instead';
  }
  if (!/^https?:$/.test(url.protocol)) return `has another scheme than http or https: ${form}`;
  if (url.search !== '' || url.hash !== '') return `has a query or a fragment: ${form}`;
  return undefined;
}

function problemOfHeader(config: SwiftConfig, property: 'username' | 'apiKey'): string | undefined {
  const { authVersion, authUrl } = config;
  const version = authVersion === 0 && URL.canParse(authUrl) ? versionInUrl(authUrl) : authVersion;
  if (version !== 1 || !NOT_IN_HEADERS.test(config[property])) return undefined;
  return 'has other characters than printable ASCII, or an outer blank: version 1 sends it in a header, which cannot carry these';
}
