/**
 * What is thrown for a request that a host in plain JavaScript, or one with a cast, put together wrongly. The message
 * names types and never a value, which may be a credential.
 *
 * @param part what is wrong, such as `headers`
 * @param given its value
 * @param expected what it must be, in words
 */
export function wrongShape(part: string, given: unknown, expected: string): TypeError {
  return new TypeError(`${part} of the request to the cache must be ${expected}, not ${kindOf(given)}`);
}

/**
 * Whether a value is a record: an object whose properties are all its own. Those of a class or of a prototype would be
 * missing where its own are listed.
 */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  // The Object.prototype of another realm, such as that of Node's own objects in a test runner's.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  // "[object Map]"
  return `an object of the kind ${Object.prototype.toString.call(value).slice(8, -1)}`;
}
