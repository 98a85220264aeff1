/** The store kept us waiting. The SDK tries again after an error of this name. */
export class StoreTimeoutError extends Error {
  override readonly name = 'TimeoutError';

  /** @param milliseconds how long we waited. */
  constructor(what: string, milliseconds: number) {
    super(`${what} within ${milliseconds / 1000} s`);
  }
}
