import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** An answer, anything done to the response by hand, or nothing. */
export type Reply = Answer | ((response: ServerResponse) => void) | undefined;

/** One request as it came over the wire. */
export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether it asks for a token, or for the versions of the identity service. */
  readonly isAuthentication: boolean;
}
