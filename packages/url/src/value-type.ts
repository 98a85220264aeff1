/** What kind of value something is, for messages that must not show the value itself. */
export function valueType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'array' : typeof value;
}
