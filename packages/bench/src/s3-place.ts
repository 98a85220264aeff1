import tls from 'node:tls';
import { FakeS3Process, testAuthority } from 'fake-s3';

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

/** The fake S3 in a process of its own; one for all who have it open at the same time. */
export function sharedServer(options: { readonly tls: boolean }): OpenPlace {
  let users = 0;
  let running: Promise<FakeS3Process> | undefined;
  return async () => {
    users += 1;
    running ??= startServer(options);
    const server = await running;
    return {
      endpoint: server.endpoint,
      region: 'us-west-1',
      accessKeyId: 'BENCHKEY',
      secretAccessKey: 'bench-secret',
      prepared: true,
      bucket: (bytes) => `b${bytes}`,
      requests: () => server.received(),
      async close() {
        users -= 1;
        if (users > 0) return;
        running = undefined;
        await server.kill();
      },
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

/** Why the peers cannot be made to trust a certificate; `undefined` where they can. */
export function lackOfTrust(): string | undefined {
  return 'setDefaultCACertificates' in tls
    ? undefined
    : 'it takes Node.js 22.19 or 24.5 to trust a certificate';
}

/** @param options with TLS, every contestant of this process trusts its certificate */
async function startServer(options: { readonly tls: boolean }): Promise<FakeS3Process> {
  if (options.tls) {
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), testAuthority.toString()]);
  }
  return await FakeS3Process.start({ ...options, module: SCRIPT });
}
