/** How a region is used, which decides what may be one. */
export type RegionUse = 'host-name' | 'signature';

// AWS's regions, such as us-west-1, us-gov-east-1 and eusc-de-east-1, become part of a host name.
const AWS_REGION = /^(?!fips-)[a-z]{2}(?:[a-z]{2})?-(?:[a-z]{2,10}-){1,2}[0-9]{1,2}$/;
// Other stores choose any name, which only the signature carries. A part of a signature is no region.
const HOST_LABEL = /^(?!.*[0-9a-f]{20})[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
const LEGACY_NAMES: ReadonlyMap<string, string> = new Map([
  ['EU', 'eu-west-1'],
  ['US', 'us-east-1'],
]);

const SIGNATURE_PART = /[0-9a-f]{20}/;

const EXPECTED_REGION = /\bexpecting (?:'|&apos;|&#39;)([^'&]{1,64})/;

/** A region name that came over the wire, if it is valid. AWS's legacy names are translated. */
export function toRegionName(value: string | undefined, use: RegionUse): string | undefined {
  if (value === undefined) return undefined;
  const name = LEGACY_NAMES.get(value) ?? value;
  return (use === 'host-name' ? AWS_REGION : HOST_LABEL).test(name) ? name : undefined;
}

/** Whether an operator may use this name for a region. */
export function isRegionName(value: string): boolean {
  return HOST_LABEL.test(value);
}

/** The region in the message of a refused signature. */
export function regionInMessage(message: string | undefined): string | undefined {
  return EXPECTED_REGION.exec(message ?? '')?.[1];
}

/** `http(s)://host[:port]` of a redirect: its path and query may be anything. */
export function originOf(location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location)) return undefined;
  const { protocol, origin } = new URL(location);
  if (SIGNATURE_PART.test(origin)) return undefined;
  return protocol === 'http:' || protocol === 'https:' ? origin : undefined;
}
