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
import { type UrlConfig, UrlConfigError, type UrlConfigFault, type UrlSettings } from './url-config.js';
import { valueType } from './value-type.js';

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
  const faults = [...unknownSettings(config), ...faultsOf(config)];
  if (faults.length > 0) throw new UrlConfigError(faults);
  return withDefaults(config);
}

/** With `key` in place of `keys` no signature would be checked. */
function unknownSettings(config: UrlSettings): readonly UrlConfigFault[] {
  const unknown = Object.keys(config).filter((name) => !Object.hasOwn(SETTING_TYPES, name));
  const message = `is not a setting; there are ${Object.keys(SETTING_TYPES).join(', ')}`;
  return unknown.map((name) => ({ name, message }));
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
