import { type ByteString, toByteString, toBytes } from './byte-string.js';
import { firstLine, type RequestHeaders } from './client-hints.js';
import { runtimeCrypto } from './runtime-crypto.js';
import { UrlError } from './url-error.js';

/** `IMGPROXY_SECRET`: who asks for an image must know it. */
export class BearerSecret {
  readonly #expected: ByteString | undefined;

  /** @param secret empty: everybody may ask */
  constructor(secret: string) {
    this.#expected = secret === '' ? undefined : toByteString(`Bearer ${secret}`);
  }

  /** @throws UrlError with status 403 */
  verify(headers: RequestHeaders | undefined): void {
    if (this.#expected === undefined) return;
    const given = headers === undefined ? undefined : firstLine(headers, 'authorization');
    if (given === undefined || !isSame(given, this.#expected)) throw UrlError.forbidden('Invalid secret');
  }
}

/** Digests have one length, so that the time tells nothing of the secret's. */
function isSame(given: ByteString, expected: ByteString): boolean {
  const crypto = runtimeCrypto();
  if (crypto === undefined) return false;
  const [first, second] = [given, expected].map((text) =>
    crypto.createHmac('sha256', 'secret').update(toBytes(text)).digest(),
  );
  return first !== undefined && second !== undefined && crypto.timingSafeEqual(first, second);
}
