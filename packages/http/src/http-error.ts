/**
 * An answer that is not the image: a source that does not exist, an option that is not allowed. `render` throws it; any other
 * error with an integer `status` from 400 to 599 and a string `publicMessage` has the same effect.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  /** Status of the answer, 400 to 599. */
  readonly status: number;
  /** Body of the answer, for anybody to read. */
  readonly publicMessage: string;

  /** @param message for the log. Default: the public message */
  constructor(
    status: number,
    publicMessage: string,
    message: string = publicMessage,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = status;
    this.publicMessage = publicMessage;
  }
}
