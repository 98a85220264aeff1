/** Variables by their names, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * How a value is written in the environment. The rules are imgproxy's own:
 * blank means default, nothing else is trimmed, and what does not parse stops the start.
 *
 * - `string`: as it stands.
 * - `boolean`: `1 t T TRUE true True` or `0 f F FALSE false False`.
 * - `integer`: decimal digits with an optional sign.
 * - `decimal`: a decimal number; for durations of ours, in seconds.
 * - `list`: separated by commas, each item trimmed, empty items kept.
 * - `enum`: lower-cased, then one of `values`.
 */
export type ConfigType = 'string' | 'boolean' | 'integer' | 'decimal' | 'list' | 'enum';

interface ConfigTypeValues {
  readonly string: string;
  readonly boolean: boolean;
  readonly integer: number;
  readonly decimal: number;
  readonly list: readonly string[];
  readonly enum: string;
}

/** One variable of the environment, as plain data. */
export type ConfigVariable = {
  readonly [Type in ConfigType]: {
    /** Name in the environment: `IMGPROXY_CACHE_` and a word of the driver's own, such as `FS_ROOT`. */
    readonly variable: string;
    readonly type: Type;
    /** The value of a variable that is absent or blank. */
    readonly default: ConfigTypeValues[Type];
    /** What it means, with unit and limits: the text of the reference page. */
    readonly doc: string;
    /** A fault when blank. */
    readonly required?: boolean;
    /** Never printed. */
    readonly secret?: boolean;
    /** Allowed values of an `enum`, in lower case. */
    readonly values?: readonly string[];
    /** Smallest value of an `integer` or a `decimal`. */
    readonly min?: number;
    /** Largest value of an `integer` or a `decimal`. */
    readonly max?: number;
  };
}[ConfigType];

/** A driver's variables by the property under which `create` finds their values. */
export type ConfigTable = Readonly<Record<string, ConfigVariable>>;

/** The parsed values of a table. */
export type ConfigValues<Table extends ConfigTable> = {
  readonly [Property in keyof Table]: ConfigTypeValues[Table[Property]['type']];
};

/** One thing wrong with the configuration. */
export interface ConfigFault {
  /** The variable, such as `IMGPROXY_CACHE_FS_ROOT`. */
  readonly variable: string;
  /**
   * What is wrong, what was given (unless secret), and what is allowed: the rest of a sentence that begins with the
   * variable, such as `is "/nowhere": …`.
   */
  readonly message: string;
}
