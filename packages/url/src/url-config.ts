import {
  BOOLEAN,
  BYTES,
  FUNCTION,
  listOf,
  NUMBER,
  REPLACEMENT,
  type SettingType,
  TEXT,
} from './setting-types.js';
import { valueType } from './value-type.js';

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

/** Some of the settings. One that is absent or undefined has its default. */
export type UrlSettings = {
  readonly [Setting in keyof UrlConfig]?: UrlConfig[Setting] | undefined;
};

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

const SETTING_TYPES: Readonly<Record<keyof UrlConfig, SettingType>> = {
  keys: listOf(BYTES),
  salts: listOf(BYTES),
  signatureSize: NUMBER,
  trustedSignatures: listOf(TEXT),
  argumentsSeparator: TEXT,
  base64UrlIncludesFilename: BOOLEAN,
  baseUrl: TEXT,
  urlReplacements: listOf(REPLACEMENT),
  allowedSources: listOf(TEXT),
  allowedProcessingOptions: listOf(TEXT),
  pathPrefix: TEXT,
  now: FUNCTION,
};

/**
 * Completes a configuration with the defaults.
 *
 * @throws UrlConfigError
 */
export function checkedConfig(config: UrlSettings): UrlConfig {
  if (valueType(config) !== 'object') {
    const message = `must be an object of settings, it is ${valueType(config)}`;
    throw new UrlConfigError([{ name: 'config', message }]);
  }
  const faults = faultsOf(config);
  if (faults.length > 0) throw new UrlConfigError(faults);
  return withDefaults(config);
}

function withDefaults(config: UrlSettings): UrlConfig {
  const given = Object.entries(config).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}

interface SettingFault extends UrlConfigFault {
  readonly name: keyof UrlConfig;
}

/** What is wrong with a configuration, by setting. Only where all types are right are values looked at. */
export function faultsOf(config: UrlSettings): readonly SettingFault[] {
  const complete = withDefaults(config);
  const typeFaults = typeFaultsOf(complete);
  return typeFaults.length > 0 ? typeFaults : valueFaultsOf(complete);
}

function typeFaultsOf(config: UrlConfig): readonly SettingFault[] {
  const names = Object.keys(SETTING_TYPES) as (keyof UrlConfig)[];
  return names.flatMap((name) => {
    const { expected, includes } = SETTING_TYPES[name];
    const value: unknown = config[name];
    if (includes(value)) return [];
    const given = valueType(value);
    // Of an array it is an item that is wrong, and the array may hold keys.
    return { name, message: `must be ${expected}${given === 'array' ? '' : `, it is ${given}`}` };
  });
}

function valueFaultsOf({
  keys,
  salts,
  signatureSize,
  argumentsSeparator,
}: UrlConfig): readonly SettingFault[] {
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
