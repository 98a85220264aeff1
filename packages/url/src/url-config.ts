import { infoGrammar, processingGrammar } from './options/option-grammar.js';
import { runtimeCrypto } from './runtime-crypto.js';
import {
  BOOLEAN,
  BYTES,
  FUNCTION,
  listOf,
  NUMBER,
  optional,
  REPLACEMENT,
  type SettingType,
  TEXT,
  TEXTS_BY_NAME,
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
  /** Options that a URL may use, each under exactly these names. Empty: all. Presets may use any. */
  readonly allowedProcessingOptions: readonly string[];
  /** Whether URLs and presets may use the options that lift limits, such as `max_src_resolution`. Default: false. */
  readonly allowSecurityOptions: boolean;
  /** Options by the name of the preset, such as `{ sharp: 'sharpen:0.7/quality:90' }`. `default` is applied to all URLs. */
  readonly presets: Readonly<Record<string, string>>;
  /** Whether a URL has names of presets in place of options. Default: false. */
  readonly onlyPresets: boolean;
  /** Presets of info URLs. */
  readonly infoPresets: Readonly<Record<string, string>>;
  /** Whether an info URL has names of presets in place of options. Default: as `onlyPresets`. */
  readonly infoOnlyPresets: boolean | undefined;
  /** Options that an info URL may use, each under exactly these names. Empty: all. */
  readonly allowedInfoOptions: readonly string[];
  /** Whether URLs are read as imgproxy Pro does: its options, pipelines, info URLs, encrypted sources. Default: false. */
  readonly pro: boolean;
  /**
   * What becomes of options, arguments, presets and formats that are not understood. `refuse`, the default: the URL is
   * refused, as a renderer must. `carry`: they are kept as they are, and all options in their order, as a cache before
   * another's renderer needs it.
   */
  readonly unknownOptions: 'refuse' | 'carry';
  /** How many pipelines a URL may have, the first one included. Default: 0, any number. */
  readonly maxChainedPipelines: number;
  /** AES key of encrypted sources: 16, 24 or 32 bytes. Without one, an encrypted source is known by its encrypted text. */
  readonly sourceUrlEncryptionKey: Uint8Array | undefined;
  /** What a client must send as `Authorization: Bearer`. Default: empty, and clients need send nothing. */
  readonly secret: string;
  /** Whether width and pixel ratio may come from the client's hints. Default: false. */
  readonly clientHints: boolean;
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
  allowSecurityOptions: false,
  presets: {},
  onlyPresets: false,
  infoPresets: {},
  infoOnlyPresets: undefined,
  allowedInfoOptions: [],
  pro: false,
  unknownOptions: 'refuse',
  maxChainedPipelines: 0,
  sourceUrlEncryptionKey: undefined,
  secret: '',
  clientHints: false,
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
  allowSecurityOptions: BOOLEAN,
  presets: TEXTS_BY_NAME,
  onlyPresets: BOOLEAN,
  infoPresets: TEXTS_BY_NAME,
  infoOnlyPresets: optional(BOOLEAN),
  allowedInfoOptions: listOf(TEXT),
  pro: BOOLEAN,
  unknownOptions: {
    expected: '"refuse" or "carry"',
    includes: (value) => value === 'refuse' || value === 'carry',
  },
  maxChainedPipelines: NUMBER,
  sourceUrlEncryptionKey: optional(BYTES),
  secret: TEXT,
  clientHints: BOOLEAN,
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
  for (const check of [typeFaultsOf, valueFaultsOf, presetFaultsOf]) {
    const faults = check(complete);
    if (faults.length > 0) return faults;
  }
  return [];
}

/** Where presets are, each is tried once, as imgproxy does when it starts. */
function presetFaultsOf(config: UrlConfig): readonly SettingFault[] {
  const grammars = { presets: processingGrammar(config), infoPresets: infoGrammar(config) };
  return Object.entries(grammars).flatMap(([name, grammar]) =>
    grammar.presetFaults().map(({ preset, message }) => ({
      name: name as 'presets' | 'infoPresets',
      message: `has the preset "${preset}", which is wrong: ${message}`,
    })),
  );
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

function valueFaultsOf(config: UrlConfig): readonly SettingFault[] {
  const { keys, salts, signatureSize, argumentsSeparator, maxChainedPipelines } = config;
  const { sourceUrlEncryptionKey: encryptionKey, secret } = config;
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
  if (!Number.isInteger(maxChainedPipelines) || maxChainedPipelines < 0) {
    const message = `must be a whole number, 0 or more, it is ${maxChainedPipelines}`;
    faults.push({ name: 'maxChainedPipelines', message });
  }
  if (encryptionKey !== undefined && ![16, 24, 32].includes(encryptionKey.length)) {
    const message = `must have 16, 24 or 32 bytes, it has ${encryptionKey.length}`;
    faults.push({ name: 'sourceUrlEncryptionKey', message });
  }
  const needsCrypto = { keys: keys.length > 0, sourceUrlEncryptionKey: encryptionKey, secret };
  for (const [name, value] of Object.entries(needsCrypto)) {
    if (!value || runtimeCrypto() !== undefined) continue;
    const message = 'cannot be used here: this runtime has no cryptography of Node.js, which checking needs';
    faults.push({ name: name as keyof UrlConfig, message });
  }
  if (argumentsSeparator === '') faults.push({ name: 'argumentsSeparator', message: 'must not be empty' });
  return faults;
}
