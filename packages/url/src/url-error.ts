/**
 * Why a request is refused.
 *
 * - `ERR_URL_INVALID`: the URL is malformed, its options are wrong, it has expired, or its source is not allowed.
 * - `ERR_URL_FORBIDDEN`: the secret or the signature is missing, malformed or wrong, or an option needs a right.
 * - `ERR_URL_UNSUPPORTED`: imgproxy Pro knows the option, and the parser reads URLs of open-source imgproxy; or a URL asks
 *   for information where an image is expected.
 */
export type UrlErrorCode = 'ERR_URL_INVALID' | 'ERR_URL_FORBIDDEN' | 'ERR_URL_UNSUPPORTED';

/** The answer's body for most refusals; details are for the log alone. */
const INVALID_URL = 'Invalid URL';

/**
 * A request that is refused, with what imgproxy would answer and what it would log.
 * The message may quote the options and the source from the URL, never its signature.
 */
export class UrlError extends Error {
  override readonly name = 'UrlError';
  readonly code: UrlErrorCode;
  /** HTTP status of the answer: 403 or 404. */
  readonly status: number;
  /** Body of the answer, safe to show to anybody. */
  readonly publicMessage: string;

  constructor(code: UrlErrorCode, status: number, publicMessage: string, logMessage: string) {
    super(logMessage);
    this.code = code;
    this.status = status;
    this.publicMessage = publicMessage;
  }

  static invalid(logMessage: string, publicMessage = INVALID_URL): UrlError {
    return new UrlError('ERR_URL_INVALID', 404, publicMessage, logMessage);
  }

  static unsupported(logMessage: string): UrlError {
    return new UrlError('ERR_URL_UNSUPPORTED', 404, INVALID_URL, logMessage);
  }

  static forbidden(logMessage: string, publicMessage = 'Forbidden'): UrlError {
    return new UrlError('ERR_URL_FORBIDDEN', 403, publicMessage, logMessage);
  }

  static forbiddenOption(logMessage: string): UrlError {
    return UrlError.forbidden(logMessage, INVALID_URL);
  }
}

/** An option that is not understood: another edition or version of imgproxy may understand it. */
export class OptionError extends UrlError {
  static wrong(logMessage: string): OptionError {
    return new OptionError('ERR_URL_INVALID', 404, INVALID_URL, logMessage);
  }

  static ofPro(logMessage: string): OptionError {
    return new OptionError('ERR_URL_UNSUPPORTED', 404, INVALID_URL, logMessage);
  }
}
