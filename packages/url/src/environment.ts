import { parseGoBoolean, parseGoInteger } from './go-values.js';
import { parseHexList } from './hex-list.js';
import { MalformedValueError } from './malformed-value-error.js';
import {
  faultsOf,
  type UrlConfig,
  UrlConfigError,
  type UrlConfigFault,
  type UrlReplacement,
} from './url-config.js';
import { valueType } from './value-type.js';

/** The process's environment, or any record like it. */
export type Environment = Readonly<Record<string, string | undefined>>;

interface Variable<Setting extends keyof UrlConfig> {
  readonly variable: string;
  readonly setting: Setting;
  readonly parse: (text: string) => UrlConfig[Setting];
}

type AnyVariable = { [Setting in keyof UrlConfig]: Variable<Setting> }[keyof UrlConfig];

const VARIABLES: readonly AnyVariable[] = [
  { variable: 'IMGPROXY_KEY', setting: 'keys', parse: parseHexList },
  { variable: 'IMGPROXY_SALT', setting: 'salts', parse: parseHexList },
  { variable: 'IMGPROXY_SIGNATURE_SIZE', setting: 'signatureSize', parse: parseInteger },
  { variable: 'IMGPROXY_TRUSTED_SIGNATURES', setting: 'trustedSignatures', parse: parseList },
  { variable: 'IMGPROXY_ARGUMENTS_SEPARATOR', setting: 'argumentsSeparator', parse: (text) => text },
  {
    variable: 'IMGPROXY_BASE64_URL_INCLUDES_FILENAME',
    setting: 'base64UrlIncludesFilename',
    parse: parseBoolean,
  },
  { variable: 'IMGPROXY_BASE_URL', setting: 'baseUrl', parse: (text) => text },
  { variable: 'IMGPROXY_URL_REPLACEMENTS', setting: 'urlReplacements', parse: parseReplacements },
  { variable: 'IMGPROXY_ALLOWED_SOURCES', setting: 'allowedSources', parse: parseList },
  { variable: 'IMGPROXY_ALLOWED_PROCESSING_OPTIONS', setting: 'allowedProcessingOptions', parse: parseList },
  { variable: 'IMGPROXY_PATH_PREFIX', setting: 'pathPrefix', parse: (text) => text },
];

/** Presets change what a URL means, so a URL must not be read as if they were not there. */
const UNSUPPORTED_VARIABLES: readonly { variable: string; isSet: (text: string) => boolean }[] = [
  { variable: 'IMGPROXY_PRESETS', isSet: () => true },
  { variable: 'IMGPROXY_PRESETS_PATH', isSet: () => true },
  { variable: 'IMGPROXY_ONLY_PRESETS', isSet: (text) => parseGoBoolean(text) !== false },
];

/** The variables that {@link readUrlConfig} reads, or refuses where they are set. */
export const URL_VARIABLES: readonly string[] = [...VARIABLES, ...UNSUPPORTED_VARIABLES].map(
  ({ variable }) => variable,
);

/**
 * Reads the configuration from imgproxy's variables by imgproxy's rules: blank means default, scalars are not
 * trimmed, the items of lists are. Variables that are not of this package are left alone.
 *
 * @throws UrlConfigError with every fault at once.
 */
export function readUrlConfig(environment: Environment): Partial<UrlConfig> {
  if (valueType(environment) !== 'object') {
    const message = `must be an object of variables, it is ${valueType(environment)}`;
    throw new UrlConfigError([{ name: 'environment', message }]);
  }
  const faults: UrlConfigFault[] = [];
  const config: Partial<Record<keyof UrlConfig, unknown>> = {};
  const read = (variable: string, take: (text: string) => void): void => {
    try {
      const text = textOf(environment[variable]);
      if (text !== undefined) take(text);
    } catch (error) {
      if (!(error instanceof MalformedValueError)) throw error;
      faults.push({ name: variable, message: error.message });
    }
  };
  for (const { variable, setting, parse } of VARIABLES) {
    read(variable, (text) => {
      config[setting] = parse(text);
    });
  }
  for (const { variable, isSet } of UNSUPPORTED_VARIABLES) {
    read(variable, (text) => {
      if (isSet(text)) throw new MalformedValueError('is set, and presets are not supported here');
    });
  }
  faults.push(...disagreements(config as Partial<UrlConfig>, faults));
  if (faults.length > 0) throw new UrlConfigError(faults);
  return config as Partial<UrlConfig>;
}

/** Faults in what was read; where a variable could not be read, counting keys and salts says nothing. */
function disagreements(read: Partial<UrlConfig>, faults: readonly UrlConfigFault[]): UrlConfigFault[] {
  const unreadable = new Set(faults.map(({ name }) => name));
  const pairsUnreadable = unreadable.has('IMGPROXY_KEY') || unreadable.has('IMGPROXY_SALT');
  return faultsOf(read)
    .filter(({ name }) => !(name === 'salts' && pairsUnreadable))
    .map(({ name, message }) => ({
      name: VARIABLES.find(({ setting }) => setting === name)?.variable ?? name,
      message,
    }));
}

/** Undefined where the variable is blank or not set. */
function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new MalformedValueError(`must be a string, it is ${valueType(value)}`);
  return value.trim() === '' ? undefined : value;
}

function parseBoolean(text: string): boolean {
  const value = parseGoBoolean(text);
  if (value !== undefined) return value;
  throw new MalformedValueError(
    'must be true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False), without blanks',
  );
}

function parseInteger(text: string): number {
  const value = parseGoInteger(text);
  if (value !== undefined) return Number(value);
  throw new MalformedValueError('must be a whole number, without blanks or a unit');
}

function parseList(text: string): readonly string[] {
  return text.split(',').map((item) => item.trim());
}

function parseReplacements(text: string): readonly UrlReplacement[] {
  return text
    .split(';')
    .filter((rule) => rule.trim() !== '')
    .map((rule) => {
      const equals = rule.indexOf('=');
      if (equals < 0)
        throw new MalformedValueError('must be rules "pattern=replacement" with semicolons between them');
      return { pattern: rule.slice(0, equals), replacement: rule.slice(equals + 1) };
    });
}
