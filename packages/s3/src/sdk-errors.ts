import type { S3Client } from '@aws-sdk/client-s3';
import type { HttpRequest, HttpResponse } from '@smithy/core/protocols';
import { operation } from '@smithy/core/schema';
import type { ClientProtocol, StaticOperationSchema } from '@smithy/types';

/** A clock that is off by less is not what a request was refused for. */
const LEAST_SKEW = 60_000;

/**
 * The error that the SDK's command makes of an answer.
 * @param offset by how much the clock was corrected when the request was signed, in milliseconds.
 */
export async function toSdkError(
  { config }: S3Client,
  [, namespace, name, traits, input, output]: StaticOperationSchema,
  response: HttpResponse,
  offset: number,
): Promise<unknown> {
  const schema = operation(namespace, name, traits, input, output);
  // Typed as a choice of constructors too, which the client has made by then.
  const protocol = config.protocol as ClientProtocol<HttpRequest, HttpResponse>;
  try {
    await protocol.deserializeResponse(schema, { ...config }, response);
  } catch (error) {
    if (!(error instanceof Error)) return error;
    const metadata = { httpStatusCode: response.statusCode, ...metadataOf(error) };
    Object.defineProperty(error, '$response', { value: response, enumerable: false });
    return Object.assign(error, { $metadata: { ...metadata, ...correctClock(config, response, offset) } });
  }
  return new Error(`the SDK takes status ${response.statusCode} for a success`);
}

/** An answer that refuses the clock keeps its date: requests are signed by it from then on, as the SDK does. */
function correctClock(
  config: { systemClockOffset: number },
  { headers }: HttpResponse,
  offset: number,
): { readonly clockSkewCorrected?: true } {
  const skew = Date.parse(headers['date'] ?? '') - Date.now();
  if (!(Math.abs(skew - offset) > LEAST_SKEW)) return {};
  config.systemClockOffset = skew;
  return { clockSkewCorrected: true };
}

function metadataOf(error: Error): object {
  return (error as { $metadata?: object }).$metadata ?? {};
}
