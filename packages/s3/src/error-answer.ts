/** An error that the SDK made out of an answer of S3 or STS. */
export interface ErrorAnswer extends Error {
  readonly $metadata: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers: Readonly<Record<string, string | undefined>> };
  /** The element of some error documents that names the bucket's region. */
  readonly Region?: unknown;
}

/** Whether the store answered at all: a failure of the network, or of the SDK, is none. */
export function isErrorAnswer(thrown: unknown): thrown is ErrorAnswer {
  return thrown instanceof Error && statusOf(thrown) !== undefined;
}

/** The status of the answer behind an error. */
export function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof Error ? (thrown as Partial<ErrorAnswer>).$metadata?.httpStatusCode : undefined;
}
