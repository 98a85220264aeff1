import { createHash, timingSafeEqual } from 'node:crypto';
import { UrlError } from '@imgproxy-cache/url';

/** `IMGPROXY_SECRET`: who asks for an image must know it. */
export class BearerSecret {
  readonly #expected: Buffer | undefined;

  /** @param secret blank: everybody may ask */
  constructor(secret: string) {
    this.#expected = secret === '' ? undefined : digest(Buffer.from(`Bearer ${secret}`));
  }

  /**
   * @param authorization the header, a byte in each character as Node has it
   * @throws UrlError with status 403
   */
  verify(authorization: string | undefined): void {
    if (this.#expected === undefined) return;
    const given = digest(Buffer.from(authorization ?? '', 'latin1'));
    if (!timingSafeEqual(given, this.#expected)) throw UrlError.forbidden('Invalid secret');
  }
}

// Digests have one length, so that the time tells nothing of the secret's.
function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
