/** A request that is answered with an error, in the way imgproxy answers it. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  /** HTTP status of the answer. */
  readonly status: number;
  /** Body of the answer, safe to show to anybody. */
  readonly publicMessage: string;

  constructor(status: number, publicMessage: string, logMessage: string) {
    super(logMessage);
    this.status = status;
    this.publicMessage = publicMessage;
  }

  static unreachable(logMessage: string): ImageError {
    return new ImageError(404, 'Source is unreachable', logMessage);
  }

  static broken(logMessage: string): ImageError {
    return new ImageError(422, 'Invalid source image', logMessage);
  }
}
