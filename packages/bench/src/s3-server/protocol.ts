/** The first message to the process of the server. */
export interface S3ServerStart {
  /** Makes it speak TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** Every later message: a question for the number of requests so far. */
export type S3ServerOrder = 'count';
