import { isBytes } from './value-type.js';

/** What a setting may be. */
export interface SettingType {
  /** What is allowed, after "must be". */
  readonly expected: string;
  readonly includes: (value: unknown) => boolean;
}

export const TEXT: SettingType = {
  expected: 'a string without lone surrogates',
  includes: (value) => typeof value === 'string' && value.isWellFormed(),
};

export const BOOLEAN: SettingType = {
  expected: 'a boolean',
  includes: (value) => typeof value === 'boolean',
};

export const NUMBER: SettingType = { expected: 'a number', includes: (value) => typeof value === 'number' };

export const FUNCTION: SettingType = {
  expected: 'a function',
  includes: (value) => typeof value === 'function',
};

export const BYTES: SettingType = { expected: 'a Uint8Array', includes: isBytes };

export const REPLACEMENT: SettingType = {
  expected: '{ pattern, replacement }, both strings without lone surrogates',
  includes: (value) => {
    const { pattern, replacement } = (value ?? {}) as Record<string, unknown>;
    return TEXT.includes(pattern) && TEXT.includes(replacement);
  },
};

export function listOf({ expected, includes }: SettingType): SettingType {
  return {
    expected: `an array, each item ${expected}`,
    includes: (value) => Array.isArray(value) && value.every(includes),
  };
}

export function optional({ expected, includes }: SettingType): SettingType {
  return { expected, includes: (value) => value === undefined || includes(value) };
}

export const TEXTS_BY_NAME: SettingType = {
  expected: 'an object of strings without lone surrogates, by name',
  includes: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every((pair) => pair.every(TEXT.includes)),
};
