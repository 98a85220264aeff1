/** A configured value that cannot be read. The message says what is allowed, never what was given. */
export class MalformedValueError extends Error {
  override readonly name = 'MalformedValueError';
}
