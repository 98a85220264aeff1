import { readFileSync } from 'node:fs';
import { faultsOf } from './checked-config.js';
import { parseGoBoolean, parseGoInteger } from './go-values.js';
import { hexBytes, parseHexList } from './hex-list.js';
import { MalformedValueError } from './malformed-value-error.js';
import {
  type UrlConfig,
  UrlConfigError,
  type UrlConfigFault,
  type UrlReplacement,
  type UrlSettings,
} from './url-config.js';
import { valueType } from './value-type.js';

/** The process's environment, or any record like it. */
export type Environment = Readonly<Record<string, string | undefined>>;

type Read = (text: string) => Partial<UrlConfig>;

/** Each variable, and the settings that its text gives. Where two give one setting, the later one adds to it. */
const VARIABLES: Readonly<Record<string, Read>> = {
  IMGPROXY_KEY: (text) => ({ keys: parseHexList(text) }),
  IMGPROXY_SALT: (text) => ({ salts: parseHexList(text) }),
  IMGPROXY_SIGNATURE_SIZE: (text) => ({ signatureSize: parseInteger(text) }),
  IMGPROXY_TRUSTED_SIGNATURES: (text) => ({ trustedSignatures: parseList(text) }),
  IMGPROXY_SECRET: (secret) => ({ secret }),
  IMGPROXY_ARGUMENTS_SEPARATOR: (argumentsSeparator) => ({ argumentsSeparator }),
  IMGPROXY_BASE64_URL_INCLUDES_FILENAME: (text) => ({ base64UrlIncludesFilename: parseBoolean(text) }),
  IMGPROXY_BASE_URL: (baseUrl) => ({ baseUrl }),
  IMGPROXY_URL_REPLACEMENTS: (text) => ({ urlReplacements: parseReplacements(text) }),
  IMGPROXY_ALLOWED_SOURCES: (text) => ({ allowedSources: parseList(text) }),
  IMGPROXY_ALLOWED_PROCESSING_OPTIONS: (text) => ({ allowedProcessingOptions: parseList(text) }),
  IMGPROXY_ALLOWED_INFO_OPTIONS: (text) => ({ allowedInfoOptions: parseList(text) }),
  IMGPROXY_ALLOW_SECURITY_OPTIONS: (text) => ({ allowSecurityOptions: parseBoolean(text) }),
  IMGPROXY_ONLY_PRESETS: (text) => ({ onlyPresets: parseBoolean(text) }),
  IMGPROXY_INFO_ONLY_PRESETS: (text) => ({ infoOnlyPresets: parseBoolean(text) }),
  IMGPROXY_MAX_CHAINED_PIPELINES: (text) => ({ maxChainedPipelines: parseInteger(text) }),
  IMGPROXY_SOURCE_URL_ENCRYPTION_KEY: (text) => ({ sourceUrlEncryptionKey: parseKey(text) }),
  IMGPROXY_PATH_PREFIX: (pathPrefix) => ({ pathPrefix }),
};

const SEPARATOR = 'IMGPROXY_PRESETS_SEPARATOR';

/** Variables that define presets: with the definitions, then with the path of a file of them. */
const PRESET_VARIABLES = {
  presets: ['IMGPROXY_PRESETS', 'IMGPROXY_PRESETS_PATH'],
  infoPresets: ['IMGPROXY_INFO_PRESETS', 'IMGPROXY_INFO_PRESETS_PATH'],
} as const;

/** The variables that {@link readUrlConfig} reads. */
export const URL_VARIABLES: readonly string[] = [
  ...Object.keys(VARIABLES),
  SEPARATOR,
  ...Object.values(PRESET_VARIABLES).flat(),
];

/**
 * Reads the configuration from imgproxy's variables by imgproxy's rules: blank means default, scalars are not
 * trimmed, the items of lists are. Variables that are not of this package are left alone, and so is
 * `IMGPROXY_ENABLE_CLIENT_HINTS`, which imgproxy 4.0.12 does not read either: set `clientHints` yourself.
 *
 * @param settings what no variable says, by which presets are checked; it is part of the result
 * @throws UrlConfigError with every fault at once.
 */
export function readUrlConfig(
  environment: Environment,
  settings: Pick<UrlSettings, 'pro' | 'unknownOptions'> = {},
): Partial<UrlConfig> {
  if (valueType(environment) !== 'object') {
    const message = `must be an object of variables, it is ${valueType(environment)}`;
    throw new UrlConfigError([{ name: 'environment', message }]);
  }
  const faults: UrlConfigFault[] = [];
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const config: Record<string, unknown> = Object.fromEntries(given);
  const read = <Value>(variable: string, parse: (text: string) => Value): Value | undefined => {
    try {
      const text = textOf(environment[variable]);
      return text === undefined ? undefined : parse(text);
    } catch (error) {
      if (!(error instanceof MalformedValueError)) throw error;
      faults.push({ name: variable, message: error.message });
      return undefined;
    }
  };
  for (const [variable, parse] of Object.entries(VARIABLES)) Object.assign(config, read(variable, parse));
  const separator = read(SEPARATOR, (text) => text) ?? ',';
  for (const [setting, [listed, path]] of Object.entries(PRESET_VARIABLES)) {
    const presets = {
      ...read(listed, (text) => parsePresets(text.split(separator))),
      ...read(path, (text) => parsePresets(linesOf(text))),
    };
    if (Object.keys(presets).length > 0) config[setting] = presets;
  }
  faults.push(...disagreements(config as Partial<UrlConfig>, faults));
  if (faults.length > 0) throw new UrlConfigError(faults);
  return config as Partial<UrlConfig>;
}

/** A variable that nothing reads, and the one that is probably meant. */
export interface MisspeltUrlVariable {
  readonly variable: string;
  readonly meant: string;
}

/**
 * Finds variables that are probably misspelt, such as `IMGPROXY_KYE`: one letter more, less or another, or two that have
 * changed places. Those of the cache are left to `@imgproxy-cache/core`.
 */
export function misspeltUrlVariables(environment: Environment): readonly MisspeltUrlVariable[] {
  return Object.keys(environment)
    .filter((variable) => variable.startsWith('IMGPROXY_') && !URL_VARIABLES.includes(variable))
    .flatMap((variable) => {
      const meant = URL_VARIABLES.find((name) => isOneSlipAway(variable, name));
      return meant === undefined ? [] : { variable, meant };
    });
}

function isOneSlipAway(one: string, other: string): boolean {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < Math.min(one.length, other.length) - start && one.at(-1 - end) === other.at(-1 - end))
    end += 1;
  const [left, right] = [one, other].map((text) => text.slice(start, text.length - end)) as [string, string];
  const isSwapped = left.length === 2 && left[0] === right[1] && left[1] === right[0];
  return isSwapped ? right.length === 2 : left.length <= 1 && right.length <= 1;
}

/** Faults in what was read; where a variable could not be read, counting keys and salts says nothing. */
function disagreements(read: Partial<UrlConfig>, faults: readonly UrlConfigFault[]): UrlConfigFault[] {
  const unreadable = new Set(faults.map(({ name }) => name));
  const pairsUnreadable = unreadable.has('IMGPROXY_KEY') || unreadable.has('IMGPROXY_SALT');
  return faultsOf(read)
    .filter(({ name }) => !(name === 'salts' && pairsUnreadable))
    .map(({ name, message }) => ({ name: variableOf(name), message }));
}

/** The variable that gives a setting; of two, the one that is named after it. */
function variableOf(setting: string): string {
  const words = setting.replace(/[A-Z]/g, '_$&').toUpperCase();
  return (
    URL_VARIABLES.find((variable) => variable === `IMGPROXY_${words}`.replace(/_(KEY|SALT)S$/, '_$1')) ??
    setting
  );
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

function parseKey(text: string): Uint8Array {
  const bytes = hexBytes(text);
  if (bytes !== undefined) return bytes;
  throw new MalformedValueError('must be hexadecimal, two digits a byte');
}

/** `name=option/option`; what is empty or begins with `#` is none. */
function parsePresets(definitions: readonly string[]): Readonly<Record<string, string>> {
  const presets = definitions.map((definition) => definition.trim());
  const pairs = presets
    .filter((definition) => definition !== '' && !definition.startsWith('#'))
    .map((definition) => {
      const [name = '', options = '', ...more] = definition.split('=').map((part) => part.trim());
      if (name !== '' && options !== '' && more.length === 0) return [name, options];
      throw new MalformedValueError(
        `must be presets "name=option:argument/option:argument", "${definition}" is none`,
      );
    });
  return Object.fromEntries(pairs);
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    const { code = 'unknown error' } = error as { code?: string };
    throw new MalformedValueError(`is the path of a file that cannot be read (${code})`);
  }
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
