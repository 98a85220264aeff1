import { FakeS3Process } from 'fake-s3';

const SCRIPT = new URL('s3-server-script.js', import.meta.url);

/** A store for the contestants of a table, and how to get at it. */
export interface S3Place {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Whether it has every object already, and forgets what is put. */
  readonly prepared: boolean;
  /** The bucket for objects of one size. */
  bucket(bytes: number): string;
  /** How many requests it has received, where it can tell. */
  requests?(): Promise<number>;
  close(): Promise<void>;
}

/** Opens the place of one contestant. */
export type OpenPlace = () => Promise<S3Place>;

/**
 * The fake S3 in a process of its own. It has every object of every bucket but `missing`.
 * @param bucket instead of the one that has objects of the right size
 */
export function fakeServer(options: { readonly tls: boolean; readonly bucket?: string }): OpenPlace {
  return async () => {
    const server = await FakeS3Process.start({ tls: options.tls, module: SCRIPT });
    return {
      endpoint: server.endpoint,
      region: 'us-west-1',
      accessKeyId: 'BENCHKEY',
      secretAccessKey: 'bench-secret',
      prepared: true,
      bucket: (bytes) => options.bucket ?? `b${bytes}`,
      requests: () => server.received(),
      close: () => server.kill(),
    };
  };
}

const VARIABLES = [
  'BENCH_S3_ENDPOINT',
  'BENCH_S3_BUCKET',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
] as const;

/** Why there is no store of the caller's own to measure; `undefined` where there is one. */
export function lackOfOwnStore(): string | undefined {
  const missing = VARIABLES.filter((name) => !process.env[name]);
  return missing.length === 0 ? undefined : `set ${missing.join(', ')} to measure on a store of yours`;
}

/** The store that the environment names. */
export const ownStore: OpenPlace = async () => {
  const variable = (name: (typeof VARIABLES)[number]): string => process.env[name] ?? '';
  return {
    endpoint: variable('BENCH_S3_ENDPOINT').replace(/\/$/, ''),
    region: process.env['BENCH_S3_REGION'] ?? 'us-east-1',
    accessKeyId: variable('AWS_ACCESS_KEY_ID'),
    secretAccessKey: variable('AWS_SECRET_ACCESS_KEY'),
    prepared: false,
    bucket: () => variable('BENCH_S3_BUCKET'),
    close: async () => undefined,
  };
};

/** Puts a place's keys where the AWS SDK looks for them: our driver takes none otherwise. */
export function useCredentials({ accessKeyId, secretAccessKey }: S3Place): void {
  process.env['AWS_ACCESS_KEY_ID'] = accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = secretAccessKey;
}
