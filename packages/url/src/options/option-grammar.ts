import { type ByteString, toByteString, toReadableText } from '../byte-string.js';
import type { UrlConfig } from '../url-config.js';
import { UrlError } from '../url-error.js';
import { OptionReading, type OptionRules, type UrlOption } from './option-reading.js';
import { INFO_TABLE, OPEN_SOURCE_TABLE, type OptionTable, PRO_TABLE } from './option-tables.js';

/** Preset that is applied to each URL before anything else. */
const DEFAULT_PRESET = 'default';
/** Part of a path that starts a pipeline. */
const PIPELINE = '-';

/** What part of a configuration the options of one kind of URL are read by. */
export interface GrammarSettings {
  readonly kind: 'processing' | 'info';
  readonly presets: Readonly<Record<string, string>>;
  readonly onlyPresets: boolean;
  readonly allowedOptions: readonly string[];
}

/** A preset's definition is wrong. */
export interface PresetFault {
  readonly preset: string;
  readonly message: string;
}

/** The options at the beginning of a path, and what follows them. */
interface LeadingOptions {
  readonly options: readonly UrlOption[];
  readonly rest: ByteString;
}

/** The rules for the options of one kind of URL: which there are, presets, and what is allowed. */
export class OptionGrammar implements OptionRules {
  readonly kind: 'processing' | 'info';
  readonly table: OptionTable;
  readonly isPro: boolean;
  readonly allowSecurityOptions: boolean;
  readonly maxChainedPipelines: number;
  readonly carriesUnknown: boolean;
  readonly presets: ReadonlyMap<ByteString, readonly UrlOption[]>;
  readonly onlyPresets: boolean;
  readonly separator: ByteString;
  readonly #isAllowed: ((name: ByteString) => boolean) | undefined;
  readonly #now: () => number;
  readonly #faults: PresetFault[] = [];

  constructor(config: UrlConfig, { kind, presets, onlyPresets, allowedOptions }: GrammarSettings) {
    this.kind = kind;
    this.isPro = config.pro;
    this.allowSecurityOptions = config.allowSecurityOptions;
    this.maxChainedPipelines = config.maxChainedPipelines;
    this.carriesUnknown = config.unknownOptions === 'carry';
    this.table = kind === 'info' ? INFO_TABLE : config.pro ? PRO_TABLE : OPEN_SOURCE_TABLE;
    this.separator = toByteString(config.argumentsSeparator);
    this.onlyPresets = onlyPresets;
    this.#now = config.now;
    const allowed = new Set(allowedOptions.map(toByteString));
    if (allowed.size > 0) this.#isAllowed = (name) => allowed.has(name);
    this.presets = this.#readPresets(presets);
  }

  /** What is wrong with the presets: each is tried once, as imgproxy does when it starts. */
  presetFaults(): readonly PresetFault[] {
    const faults = [...this.#faults];
    for (const preset of this.presets.keys()) {
      try {
        new OptionReading(this, this.#now).applyPresets([preset]);
      } catch (error) {
        if (!(error instanceof UrlError)) throw error;
        faults.push({ preset: toReadableText(preset), message: error.message });
      }
    }
    return faults;
  }

  /**
   * Reads the options at the beginning of a path.
   *
   * @param seed what is set before any option
   * @returns the options, and what of the path follows them
   * @throws UrlError
   */
  read(
    path: ByteString,
    seed: Iterable<readonly [string, string]>,
  ): { readonly reading: OptionReading; readonly rest: ByteString } {
    if (this.onlyPresets) {
      const { part, rest } = cutAtSlash(path);
      return { reading: this.apply([{ name: 'preset', args: part.split(this.separator) }], seed), rest };
    }
    const { options, rest } = this.#leadingOptions(path);
    return { reading: this.apply(options, seed), rest };
  }

  /**
   * Applies options after the default preset.
   *
   * @throws UrlError
   */
  apply(options: readonly UrlOption[], seed: Iterable<readonly [string, string]> = []): OptionReading {
    const reading = new OptionReading(this, this.#now);
    for (const [name, value] of seed) reading.main.set(name, value);
    if (this.presets.has(DEFAULT_PRESET)) reading.applyPresets([DEFAULT_PRESET]);
    reading.applyAll(options, this.onlyPresets ? undefined : this.#isAllowed);
    return reading;
  }

  /** Up to the first part without a separator: there the source begins. */
  #leadingOptions(path: ByteString): LeadingOptions {
    const options: UrlOption[] = [];
    const hasPipelines = this.isPro && this.kind === 'processing';
    let start = 0;
    while (start < path.length) {
      const slash = path.indexOf('/', start);
      const end = slash < 0 ? path.length : slash;
      const part = path.slice(start, end);
      const nameEnd = part.indexOf(this.separator);
      if (nameEnd >= 0) {
        const args = part.slice(nameEnd + this.separator.length).split(this.separator);
        options.push({ name: part.slice(0, nameEnd), args });
      } else if (hasPipelines && part === PIPELINE) options.push({ name: PIPELINE, args: [] });
      else break;
      start = end + 1;
    }
    return { options, rest: path.slice(start) };
  }

  #readPresets(definitions: Readonly<Record<string, string>>): Map<ByteString, readonly UrlOption[]> {
    const presets = new Map<ByteString, readonly UrlOption[]>();
    for (const [name, definition] of Object.entries(definitions)) {
      const { options, rest } = this.#leadingOptions(toByteString(definition));
      if (rest === '' && options.length > 0) presets.set(toByteString(name), options);
      else {
        const wrong = toReadableText(cutAtSlash(rest).part);
        const message = `"${wrong}" is no option with arguments; a preset is options with slashes between them`;
        this.#faults.push({ preset: name, message });
      }
    }
    return presets;
  }
}

function cutAtSlash(path: ByteString): { readonly part: ByteString; readonly rest: ByteString } {
  const slash = path.indexOf('/');
  return slash < 0 ? { part: path, rest: '' } : { part: path.slice(0, slash), rest: path.slice(slash + 1) };
}

export function processingGrammar(config: UrlConfig): OptionGrammar {
  const { presets, onlyPresets, allowedProcessingOptions: allowedOptions } = config;
  return new OptionGrammar(config, { kind: 'processing', presets, onlyPresets, allowedOptions });
}

export function infoGrammar(config: UrlConfig): OptionGrammar {
  const { infoPresets: presets, allowedInfoOptions: allowedOptions } = config;
  const onlyPresets = config.infoOnlyPresets ?? config.onlyPresets;
  return new OptionGrammar(config, { kind: 'info', presets, onlyPresets, allowedOptions });
}
