import type { ConfigType, ConfigVariable } from '../driver/index.js';

export type ConfigValue = string | boolean | number | readonly string[];

/** Like imgproxy, treats a variable with nothing but white space as not set. */
export function isBlank(value: string | undefined): boolean {
  return value === undefined || value.trim() === '';
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
]);

/**
 * Parses a value that is not blank by imgproxy's rules: only items of lists are trimmed, and booleans and integers are
 * spelt as in Go. `undefined` if the text is invalid.
 */
export const ENVIRONMENT_RULES: Readonly<Record<ConfigType, (text: string) => ConfigValue | undefined>> = {
  string: (text) => text,
  boolean: (text) => BOOLEANS.get(text),
  integer: (text) => {
    const value = /^[+-]?[0-9]+$/.test(text) ? Number(text) : undefined;
    return Number.isSafeInteger(value) ? value : undefined;
  },
  decimal: (text) => {
    const value = /^[+-]?[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : undefined;
    return Number.isFinite(value) ? value : undefined;
  },
  list: (text) => text.split(',').map((item) => item.trim()),
  enum: (text) => text.toLowerCase(),
};

/** Describes the allowed values of a variable, for the end of a fault's message. */
export function allowedValues({ type, min, max, values }: ConfigVariable): string {
  const most = type === 'integer' ? (max ?? Number.MAX_SAFE_INTEGER) : max;
  const limits = [min === undefined ? '' : ` from ${min}`, most === undefined ? '' : ` up to ${most}`].join(
    '',
  );
  switch (type) {
    case 'string':
      return 'any text';
    case 'boolean':
      return 'true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False)';
    case 'integer':
      return `a whole number${limits}, without blanks or a unit`;
    case 'decimal':
      return `a decimal number${limits}, without blanks or a unit`;
    case 'list':
      return 'items separated by commas';
    case 'enum':
      return `one of ${(values ?? []).join(', ')}`;
  }
}

/** Whether a value has its variable's type and is within its limits. */
export function isAllowed(value: ConfigValue, { type, min, max, values }: ConfigVariable): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
    case 'decimal':
      return typeof value === 'number' && value >= (min ?? -Infinity) && value <= (max ?? Infinity);
    case 'list':
      return Array.isArray(value);
    case 'enum':
      return typeof value === 'string' && values?.includes(value) === true;
  }
}
