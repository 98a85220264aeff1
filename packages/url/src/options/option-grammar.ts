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

/** The options at the beginning of a path, and how many of its parts they are. */
interface LeadingOptions {
  readonly options: readonly UrlOption[];
  readonly count: number;
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
  readonly #separator: ByteString;
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
    this.#separator = toByteString(config.argumentsSeparator);
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
   * @returns the options, and how many parts of the path they are
   * @throws UrlError
   */
  read(
    parts: readonly ByteString[],
    seed: Iterable<readonly [string, string]>,
  ): { readonly reading: OptionReading; readonly count: number } {
    const reading = new OptionReading(this, this.#now);
    for (const [name, value] of seed) reading.main.set(name, value);
    if (this.presets.has(DEFAULT_PRESET)) reading.applyPresets([DEFAULT_PRESET]);
    if (this.onlyPresets) {
      reading.applyPresets((parts[0] ?? '').split(this.#separator));
      return { reading, count: 1 };
    }
    const { options, count } = this.#leadingOptions(parts);
    reading.applyAll(options, this.#isAllowed);
    return { reading, count };
  }

  /** Up to the first part without a separator: there the source begins. */
  #leadingOptions(parts: readonly ByteString[]): LeadingOptions {
    const options: UrlOption[] = [];
    const hasPipelines = this.isPro && this.kind === 'processing';
    for (const part of parts) {
      const [name = '', ...args] = part.split(this.#separator);
      if (args.length === 0 && !(hasPipelines && part === PIPELINE)) break;
      options.push({ name, args });
    }
    return { options, count: options.length };
  }

  #readPresets(definitions: Readonly<Record<string, string>>): Map<ByteString, readonly UrlOption[]> {
    const presets = new Map<ByteString, readonly UrlOption[]>();
    for (const [name, definition] of Object.entries(definitions)) {
      const parts = toByteString(definition).split('/');
      const { options, count } = this.#leadingOptions(parts);
      if (count === parts.length) presets.set(toByteString(name), options);
      else {
        const wrong = toReadableText(parts[count] ?? '');
        const message = `"${wrong}" is no option with arguments; a preset is options with slashes between them`;
        this.#faults.push({ preset: name, message });
      }
    }
    return presets;
  }
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
