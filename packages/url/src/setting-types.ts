import { types } from 'node:util';
import type { UrlConfig } from './url-config.js';

interface SettingType {
  /** What is allowed, after "must be". */
  readonly expected: string;
  readonly includes: (value: unknown) => boolean;
}

const TEXT: SettingType = {
  expected: 'a string without lone surrogates',
  includes: (value) => typeof value === 'string' && value.isWellFormed(),
};

const BOOLEAN: SettingType = { expected: 'a boolean', includes: (value) => typeof value === 'boolean' };

const NUMBER: SettingType = { expected: 'a number', includes: (value) => typeof value === 'number' };

const FUNCTION: SettingType = { expected: 'a function', includes: (value) => typeof value === 'function' };

const BYTES: SettingType = { expected: 'a Uint8Array', includes: types.isUint8Array };

const REPLACEMENT: SettingType = {
  expected: '{ pattern, replacement }, both strings without lone surrogates',
  includes: (value) => {
    const { pattern, replacement } = (value ?? {}) as Record<string, unknown>;
    return TEXT.includes(pattern) && TEXT.includes(replacement);
  },
};

function listOf({ expected, includes }: SettingType): SettingType {
  return {
    expected: `an array, each item ${expected}`,
    includes: (value) => Array.isArray(value) && value.every(includes),
  };
}

export const SETTING_TYPES: Readonly<Record<keyof UrlConfig, SettingType>> = {
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
