// Writes docs/reference/configuration.md from the tables of the built packages: node scripts/write-configuration-reference.mjs
import { writeFile } from 'node:fs/promises';

/**
 * @typedef {object} Variable
 * @property {string} variable
 * @property {'string' | 'boolean' | 'integer' | 'decimal' | 'list' | 'enum'} type
 * @property {string | boolean | number | readonly string[]} default
 * @property {string} doc
 * @property {boolean} [required]
 * @property {boolean} [secret]
 * @property {readonly string[]} [values]
 * @property {number} [min]
 * @property {number} [max]
 */

/** The drivers of this repository, in the order of the page. */
export const drivers = ['fs', 's3', 'swift', 'memory'];

export const page = new URL('../docs/reference/configuration.md', import.meta.url);

const introduction = `# Configuration

<!-- Written by scripts/write-configuration-reference.mjs from the packages' tables: change those and run it again. -->

The cache reads the variables below from \`process.env\`, or from the \`env\` that a host passes to \`cacheModule\` or
\`createImageCache\`. Names, defaults and rules are those of [imgproxy](https://docs.imgproxy.net/cache/internal); what
imgproxy does not have keeps its style.

- A variable that is absent, empty or nothing but white space has its default.
- Nothing else is trimmed, except the items of lists: \`" true"\` and \`"10 "\` are faults.
- true is written \`1\`, \`t\`, \`T\`, \`TRUE\`, \`true\` or \`True\`; false \`0\`, \`f\`, \`F\`, \`FALSE\`, \`false\` or \`False\`.
- Numbers are decimal digits with an optional sign, decimals with a point: no units, exponents or separators.
- The items of a list are separated by commas, and empty items are kept.
- Everything that is wrong is reported at once and stops the start with \`ERR_CACHE_CONFIG\`. What was given is shown,
  unless the variable is secret.
- A variable that looks like one of these and is none, such as \`IMGPROXY_CACHE_PATH_PREFX\` or \`IMGPROXY_CACHE_MAX_SIZE\`, is
  logged with the right name that is probably meant, and stops nothing. imgproxy's own are known, whether or not this cache
  reads them.
`;

/** @returns {Promise<string>} the page as the tables make it */
export async function configurationReference() {
  const { CORE_TABLE } = await builtPackage('core');
  const sections = [section('All drivers', CORE_TABLE)];
  for (const name of drivers) {
    const { default: definition } = await builtPackage(name);
    sections.push(section(`The ${name} driver`, definition.config));
  }
  return [introduction, ...sections].join('\n');
}

/**
 * @param {string} name
 * @returns {Promise<any>} its module
 */
function builtPackage(name) {
  return import(new URL(`../packages/${name}/dist/index.js`, import.meta.url).href);
}

/**
 * @param {string} title
 * @param {Record<string, Variable>} table
 */
function section(title, table) {
  const rows = Object.values(table).map(
    (variable) =>
      `| \`${variable.variable}\` | ${defaultOf(variable)} | ${allowedBy(variable)} | ${escaped(variable.doc)} |\n`,
  );
  return `## ${title}\n\n| variable | default | takes | |\n|---|---|---|---|\n${rows.join('')}`;
}

/** @param {Variable} variable */
function defaultOf({ default: value, required }) {
  if (required) return 'required';
  const text = String(value);
  return text === '' ? 'blank' : `\`${text}\``;
}

/** @param {Variable} variable */
function allowedBy({ type, values = [], min, max, secret }) {
  const limits =
    min !== undefined && max !== undefined
      ? ` from ${min} to ${max}`
      : `${min === undefined ? '' : ` from ${min}`}${max === undefined ? '' : ` up to ${max}`}`;
  const words = {
    string: 'text',
    boolean: 'true or false',
    integer: `whole number${limits}`,
    decimal: `decimal number${limits}`,
    list: 'list',
    enum: values.map((value) => `\`${value}\``).join(', '),
  };
  return words[type] + (secret ? ', secret' : '');
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

if (import.meta.filename === process.argv[1]) await writeFile(page, await configurationReference());
