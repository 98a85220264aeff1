/**
 * The error for a request of a wrong type, as plain JavaScript or a cast allows. The message names types and never a
 * value, which may be a credential.
 *
 * @param part what is wrong, such as `headers`
 * @param given the value
 * @param expected what it must be, in words
 */
export function wrongShape(part: string, given: unknown, expected: string): TypeError {
  return new TypeError(`${part} of the request to the cache must be ${expected}, not ${kindOf(given)}`);
}

/**
 * Whether a value is a plain object. Listing the own properties of any other object would miss those of its class or
 * prototype.
 */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  // The Object.prototype of another realm: in a test runner's realm, Node's own objects have one.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  // "[object Map]"
  return `an object of the kind ${Object.prototype.toString.call(value).slice(8, -1)}`;
}
