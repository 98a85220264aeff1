import { isIP } from 'node:net';

/** Where the bucket is: at the operator's endpoint or, without one, at AWS. */
export interface S3Target {
  readonly bucket: string;
  readonly endpoint: S3Endpoint | undefined;
}

export interface S3Endpoint {
  readonly url: URL;
  /** `endpoint/bucket` instead of `bucket.endpoint`. */
  readonly pathStyle: boolean;
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
const HOST_NAME_BUCKET = /^[a-z0-9](?:[a-z0-9.-]{1,61}[a-z0-9])$/;

/** Reads an endpoint as imgproxy does: without a scheme it is `http://`. */
export function parseEndpoint(text: string): URL {
  if (/^(?!https?:)[a-z][a-z0-9+.-]*:\/\//i.test(text))
    throw new TypeError('another scheme than http or https');
  return new URL(/^https?:\/\//i.test(text) ? text : `http://${text}`);
}

/** What is wrong with an endpoint, for a configuration fault. */
export function problemOfEndpoint(text: string): string | undefined {
  let url: URL;
  try {
    url = parseEndpoint(text);
  } catch {
    return 'is not a URL: it takes host, host:port or http(s)://host:port';
  }
  // A password may precede an @, so the text is not repeated.
  if (url.username !== '' || url.password !== '') {
    return 'contains a user or password: credentials come from the AWS_* variables';
  }
  if (url.search !== '' || url.hash !== '') {
    return `${JSON.stringify(text)} has a query or a fragment: it takes host, host:port or http(s)://host:port`;
  }
  return undefined;
}

/** Why the bucket is addressed as `endpoint/bucket` although `bucket.endpoint` is configured. */
export function obstacleToVirtualHost({ bucket, endpoint }: S3Target): string | undefined {
  if (endpoint === undefined || endpoint.pathStyle) return undefined;
  const { hostname, protocol } = endpoint.url;
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return `${hostname} is an IP address`;
  if (!HOST_NAME_BUCKET.test(bucket) || bucket.includes('..')) {
    return `the bucket's name ${bucket} cannot be a part of a host name`;
  }
  if (protocol === 'https:' && bucket.includes('.')) {
    return `the bucket's name ${bucket} contains a dot, which no wildcard certificate covers`;
  }
  return undefined;
}

/** The right endpoint, if the configured one contains the bucket's name, which requests then contain twice. */
export function endpointWithoutBucket({ bucket, endpoint }: S3Target): string | undefined {
  if (endpoint === undefined) return undefined;
  const url = new URL(endpoint.url);
  if (url.hostname.startsWith(`${bucket}.`)) url.hostname = url.hostname.slice(bucket.length + 1);
  else if (url.pathname.split('/').filter(Boolean).at(-1) === bucket) {
    url.pathname = url.pathname.replace(/[^/]+\/*$/, '');
  } else return undefined;
  return url.href.replace(/\/$/, '');
}

/** The endpoint that a redirect points to, without the bucket's name that may precede it. */
export function endpointOfLocation(location: string, bucket: string): URL {
  const url = new URL(location);
  if (url.hostname.startsWith(`${bucket}.`)) url.hostname = url.hostname.slice(bucket.length + 1);
  return url;
}

/** The bucket, and its endpoint if there is one, for messages. */
export function describeTarget({ bucket, endpoint }: S3Target): string {
  return endpoint === undefined ? `the bucket ${bucket}` : `the bucket ${bucket} at ${endpoint.url.origin}`;
}
