import type { FakeS3Process, FaultRule } from 'fake-s3';
import { openSilentAddress } from './silent-address.js';

/** One way in which a store goes wrong, as a host sees it. */
export interface HostFault {
  readonly name: string;
  /** The first deadline that applies: that of look-ups, or past the first chunk that of silence. */
  readonly deadline: 'lookup' | 'silence';
  /** Share of the requests that are for images too large to be verified before they are served. */
  readonly large: number;
  /** Whether it is there when the host starts, and not only later. */
  readonly atStart?: boolean;
  /** Addresses of the store's name. Without them the host knows the store by its address alone. */
  readonly addresses?: readonly string[];
  /** Makes it go wrong. @returns what makes it well again */
  strike(store: FakeS3Process): Promise<() => Promise<void>>;
}

const LARGE = 0.1;
/** A name that the certificate of the fake S3 has. */
export const STORE_NAME = 's3.example.com';
const DEAD_ADDRESS = '127.0.0.2';

function scripted(name: string, rule: FaultRule, changes: Partial<HostFault> = {}): HostFault {
  return {
    name,
    deadline: 'lookup',
    large: 0,
    async strike(store) {
      await store.setFaults([rule]);
      return () => store.setFaults([]);
    },
    ...changes,
  };
}

async function refuse(store: FakeS3Process): Promise<() => Promise<void>> {
  await store.refuse();
  return () => store.accept();
}

/** Everything that the table has. */
export const HOST_FAULTS: readonly HostFault[] = [
  scripted('no answer', { fault: { kind: 'head-hangs' } }),
  scripted('bodies hang', { fault: { kind: 'body-hangs', after: 0 }, operations: ['get'] }, { large: LARGE }),
  scripted('a quarter of the bodies hang', {
    fault: { kind: 'body-hangs', after: 0 },
    operations: ['get'],
    share: 0.25,
  }),
  scripted('half of the answers are 503', {
    fault: { kind: 'error', status: 503, code: 'SlowDown' },
    share: 0.5,
  }),
  scripted(
    'bodies over 1 MiB hang after 300 KB',
    { fault: { kind: 'body-hangs', after: 300_000 }, operations: ['get'], largerThan: 1_048_576 },
    { deadline: 'silence', large: LARGE },
  ),
  scripted(
    'slow link (20 KB a second)',
    { fault: { kind: 'slow', bytesPerSecond: 20_000 }, operations: ['get'] },
    { deadline: 'silence', large: LARGE },
  ),
  { name: 'refused', deadline: 'lookup', large: 0, strike: refuse },
  scripted('reset', { fault: { kind: 'reset' } }),
  {
    name: 'stopped (SIGSTOP)',
    deadline: 'lookup',
    large: 0,
    async strike(store) {
      store.signal('SIGSTOP');
      return async () => store.signal('SIGCONT');
    },
  },
  { name: 'absent at start', deadline: 'lookup', large: 0, atStart: true, strike: refuse },
  {
    name: 'a name with a dead address',
    deadline: 'lookup',
    large: 0,
    atStart: true,
    addresses: [DEAD_ADDRESS, '127.0.0.1'],
    strike: ({ port }) => openSilentAddress(DEAD_ADDRESS, port),
  },
];
