import convict from 'convict';
import type {
  ConfigFault,
  ConfigTable,
  ConfigType,
  ConfigValues,
  ConfigVariable,
  Environment,
} from '../driver/index.js';
import {
  allowedValues,
  type ConfigValue,
  ENVIRONMENT_RULES,
  isAllowed,
  isBlank,
} from './environment-rules.js';

/** The result of reading a table: a value for every variable, and the faults. */
export interface ReadConfig<Table extends ConfigTable> {
  /** A variable with a fault has its default. */
  readonly values: ConfigValues<Table>;
  readonly faults: readonly ConfigFault[];
}

/** What convict passes to a format's `validate`: the variable, its text and the list for its faults. */
interface SchemaNode extends convict.SchemaObj<unknown> {
  readonly variable: ConfigVariable;
  /** The text in the environment. Absent: blank. */
  readonly given: string | undefined;
  readonly onFault: (fault: ConfigFault) => void;
}

const FORMAT = '@imgproxy-cache/core:';

/**
 * Reads a table's variables from an environment by imgproxy's rules. Convict reads them, applies the defaults and
 * validates. Its own coercions, which accept "yes" as true and "10s" as 10, are replaced.
 */
export function readConfig<Table extends ConfigTable>(
  table: Table,
  environment: Environment,
): ReadConfig<Table> {
  addFormats();
  const faults: ConfigFault[] = [];
  const schema: Record<string, SchemaNode> = {};
  const filled: Record<string, string> = {};
  for (const [property, variable] of Object.entries(table)) {
    const text = environment[variable.variable];
    const given = isBlank(text) ? undefined : text;
    schema[property] = {
      doc: variable.doc,
      format: FORMAT + variable.type,
      default: variable.default,
      env: variable.variable,
      sensitive: variable.secret === true,
      variable,
      given,
      onFault: (fault) => faults.push(fault),
    };
    if (given !== undefined) filled[variable.variable] = given;
  }
  const config = convict<Record<string, unknown>>(schema, { env: filled, args: [] });
  try {
    config.validate({ allowed: 'strict' });
  } catch (error) {
    // Convict's message repeats the faults, secrets included. An error without faults is a bug here.
    if (faults.length === 0) throw error;
  }
  const faulty = new Set(faults.map(({ variable }) => variable));
  for (const [property, variable] of Object.entries(table)) {
    if (faulty.has(variable.variable)) config.set(property, variable.default);
  }
  return { values: config.getProperties() as ConfigValues<Table>, faults };
}

let formatsAdded = false;

// Convict's formats are global, so their names begin with this package's. They are added at the first use, since importing
// core must have no side effect.
function addFormats(): void {
  if (formatsAdded) return;
  formatsAdded = true;
  for (const type of Object.keys(ENVIRONMENT_RULES) as ConfigType[]) {
    convict.addFormat({
      name: FORMAT + type,
      // It must not throw, or later faults would not be found: invalid text stays text.
      coerce: (value: unknown) =>
        typeof value === 'string' ? (ENVIRONMENT_RULES[type](value) ?? value) : value,
      validate: (value: unknown, node: convict.SchemaObj) => {
        const { variable, given, onFault } = node as SchemaNode;
        const message = faultMessage(value as ConfigValue, given, variable);
        if (message === undefined) return;
        onFault({ variable: variable.variable, message });
        throw new Error(message);
      },
    });
  }
}

function faultMessage(
  value: ConfigValue,
  given: string | undefined,
  variable: ConfigVariable,
): string | undefined {
  if (given === undefined) {
    return variable.required === true ? `is required and blank: ${variable.doc}` : undefined;
  }
  if (isAllowed(value, variable)) return undefined;
  const shown = variable.secret === true ? 'a value that is not shown' : JSON.stringify(given);
  return `is ${shown}, allowed is ${allowedValues(variable)}`;
}
