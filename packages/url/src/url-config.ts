/** One rule of `IMGPROXY_URL_REPLACEMENTS`. */
export interface UrlReplacement {
  /** Beginning of a source URL; `*` stands for any text without a slash. */
  readonly pattern: string;
  /** What replaces it; `${1}` is what the first `*` stood for. */
  readonly replacement: string;
}

/** How URLs are checked and read. Names and defaults are imgproxy's. */
export interface UrlConfig {
  /** HMAC keys; the key at an index belongs to the salt at the same index. Empty: signatures are not checked. */
  readonly keys: readonly Uint8Array[];
  readonly salts: readonly Uint8Array[];
  /** Bytes of the signature that a URL carries, 1 to 32. Default: 32. */
  readonly signatureSize: number;
  /** Signatures that are taken for any path. They count only when there are keys. */
  readonly trustedSignatures: readonly string[];
  /** What stands between an option's name and its arguments. Default: a colon. */
  readonly argumentsSeparator: string;
  /** Whether the last part of a base64 source is a file name that is ignored. Default: false. */
  readonly base64UrlIncludesFilename: boolean;
  /** Put before every source URL that does not begin with it. Default: empty. */
  readonly baseUrl: string;
  /** Applied to a source URL one after another, before the base URL. */
  readonly urlReplacements: readonly UrlReplacement[];
  /** Beginnings of the source URLs that may be asked for, with `*` as in replacements. Empty: any. */
  readonly allowedSources: readonly string[];
  /** Options that a URL may use, each under exactly these names. Empty: all. */
  readonly allowedProcessingOptions: readonly string[];
  /** Beginning of every path, such as `/img`, without a slash at its end. Default: empty. */
  readonly pathPrefix: string;
  /** The present time in milliseconds since 1970, for `expires`. Default: the system's clock. */
  readonly now: () => number;
}

/** A part of the configuration that is wrong. */
export interface UrlConfigFault {
  /** The setting, or the environment variable when it came from there. */
  readonly name: string;
  /** What is wrong and what is allowed; never a key or a salt. */
  readonly message: string;
}

/** The configuration is wrong; every fault is listed at once. */
export class UrlConfigError extends Error {
  override readonly name = 'UrlConfigError';
  readonly code = 'ERR_URL_CONFIG';
  readonly faults: readonly UrlConfigFault[];

  constructor(faults: readonly UrlConfigFault[]) {
    super(faults.map(({ name, message }) => `${name} ${message}`).join('; '));
    this.faults = faults;
  }
}

const DEFAULTS: UrlConfig = {
  keys: [],
  salts: [],
  signatureSize: 32,
  trustedSignatures: [],
  argumentsSeparator: ':',
  base64UrlIncludesFilename: false,
  baseUrl: '',
  urlReplacements: [],
  allowedSources: [],
  allowedProcessingOptions: [],
  pathPrefix: '',
  now: Date.now,
};

/**
 * Completes a configuration with the defaults.
 *
 * @throws UrlConfigError
 */
export function checkedConfig(config: Partial<UrlConfig>): UrlConfig {
  const complete = { ...DEFAULTS, ...config };
  const faults = faultsOf(complete);
  if (faults.length > 0) throw new UrlConfigError(faults);
  return complete;
}

interface SettingFault extends UrlConfigFault {
  readonly name: keyof UrlConfig;
}

/** What is wrong with a configuration, by setting. */
export function faultsOf(config: Partial<UrlConfig>): readonly SettingFault[] {
  const { keys, salts, signatureSize, argumentsSeparator } = { ...DEFAULTS, ...config };
  const faults: SettingFault[] = [];
  if (keys.length !== salts.length) {
    const counts = `there are ${keys.length} keys and ${salts.length} salts`;
    faults.push({ name: 'salts', message: `must be as many as the keys: ${counts}` });
  }
  if (!Number.isInteger(signatureSize) || signatureSize < 1 || signatureSize > 32) {
    faults.push({
      name: 'signatureSize',
      message: `must be a whole number from 1 to 32, it is ${signatureSize}`,
    });
  }
  if (argumentsSeparator === '') faults.push({ name: 'argumentsSeparator', message: 'must not be empty' });
  return faults;
}
