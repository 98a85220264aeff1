/** Variables by their names, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * How a value is written in the environment, by imgproxy's rules: a blank value means the default, nothing else is
 * trimmed, and a value that does not parse prevents the start.
 *
 * - `string`: the text, unchanged.
 * - `boolean`: `1 t T TRUE true True` or `0 f F FALSE false False`.
 * - `integer`: decimal digits with an optional sign.
 * - `decimal`: a decimal number; durations are in seconds.
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
    /** Name in the environment: `IMGPROXY_CACHE_` and a name that begins with the driver's, such as `FS_ROOT`. */
    readonly variable: string;
    readonly type: Type;
    /** The value of a variable that is absent or blank. */
    readonly default: ConfigTypeValues[Type];
    /** What it means, with unit and limits: the text of the reference page. */
    readonly doc: string;
    /** Whether a blank value is a fault. */
    readonly required?: boolean;
    /** Whether the value is never printed. */
    readonly secret?: boolean;
    /** Allowed values of an `enum`, in lower case. */
    readonly values?: readonly string[];
    /** Smallest value of an `integer` or a `decimal`. */
    readonly min?: number;
    /** Largest value of an `integer` or a `decimal`. */
    readonly max?: number;
  };
}[ConfigType];

/** A driver's variables, by the property names that `create` receives them under. */
export type ConfigTable = Readonly<Record<string, ConfigVariable>>;

/** The parsed values of a table. */
export type ConfigValues<Table extends ConfigTable> = {
  readonly [Property in keyof Table]: ConfigTypeValues[Table[Property]['type']];
};

/** One fault of the configuration. */
export interface ConfigFault {
  /** The variable, such as `IMGPROXY_CACHE_FS_ROOT`. */
  readonly variable: string;
  /**
   * What is wrong, the value (unless secret), and what is allowed. It continues a sentence that begins with the variable,
   * such as `is "/nowhere": …`.
   */
  readonly message: string;
}
