/** Fields of an answer by name. */
export type HeaderFields = Record<string, string>;

/** Fields that several parties add to, each an item of a list. */
export const LIST_FIELDS: readonly string[] = ['Vary', 'Cache-Status', 'Server-Timing'];

const LISTS = new Map(LIST_FIELDS.map((name) => [name.toLowerCase(), name]));

/** Adds fields: they replace those of the same name, except lists, where they come first. */
export function addFields(fields: HeaderFields, more: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(more)) {
    const list = LISTS.get(name.toLowerCase());
    if (list !== undefined) {
      fields[list] = joinLists(value, fields[list]);
      continue;
    }
    const known = Object.keys(fields).find((field) => field.toLowerCase() === name.toLowerCase());
    fields[known ?? name] = value;
  }
}

export function joinLists(first: string, second: string | undefined): string {
  return second === undefined ? first : `${first}, ${second}`;
}
