/** What an operation is taken for that does not end. */
export class HungOperation extends Error {
  override readonly name = 'HungOperation';
}

/** Waits for an operation, but not for ever. */
export async function withPatience<Value>(operation: Promise<Value>, milliseconds: number): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new HungOperation('an operation does not end')), milliseconds);
  try {
    return await Promise.race([operation, promise]);
  } finally {
    clearTimeout(timer);
  }
}
