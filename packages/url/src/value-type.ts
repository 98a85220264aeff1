/** What kind of value something is, for messages that must not show the value itself. */
export function valueType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'array' : typeof value;
}

const typeTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get;

/** Whether a value is a Uint8Array, of another realm, too. */
export function isBytes(value: unknown): value is Uint8Array {
  return typeTag?.call(value) === 'Uint8Array';
}
