import { once } from 'node:events';
import net from 'node:net';
import { ScriptProcess } from '@imgproxy-cache/driver-testkit';
import type { FakeS3Process, FaultRule } from 'fake-s3';

/** One way in which the store of a host fails. */
export interface HostFault {
  readonly name: string;
  /** The first deadline that applies: that of look-ups, or past the first chunk that of silence. */
  readonly deadline: 'lookup' | 'silence';
  /** Share of the requests that are for images too large to be verified before they are served. */
  readonly large: number;
  /** Whether the fault is there when the host starts. */
  readonly atStart?: boolean;
  /** Addresses of the store's name. Without them the host knows the store by its address alone. */
  readonly addresses?: readonly string[];
  /** Begins the fault. @returns what ends it */
  strike(store: FakeS3Process): Promise<() => Promise<void>>;
}

const LARGE = { large: 0.1 };
const DEAD_ADDRESS = '127.0.0.2';
/** More than fit into the backlog. The kernel does not answer those that come after them. */
const CONNECTIONS = 8;

function fault(name: string, strike: HostFault['strike'], changes: Partial<HostFault> = {}): HostFault {
  return { name, deadline: 'lookup', large: 0, strike, ...changes };
}

function scripted(name: string, rule: FaultRule, changes?: Partial<HostFault>): HostFault {
  const strike = async (store: FakeS3Process) => {
    await store.setFaults([rule]);
    return () => store.setFaults([]);
  };
  return fault(name, strike, changes);
}

async function refuse(store: FakeS3Process): Promise<() => Promise<void>> {
  await store.refuse();
  return () => store.accept();
}

async function stop(store: FakeS3Process): Promise<() => Promise<void>> {
  store.signal('SIGSTOP');
  return async () => store.signal('SIGCONT');
}

/**
 * Makes an address of this machine silent, like one behind a firewall: its listener accepts no connection, and the
 * listener's backlog is full. Afterwards the address refuses connections.
 */
async function silence({ port }: FakeS3Process): Promise<() => Promise<void>> {
  const script = new URL('silent-listener.js', import.meta.url);
  const listener = new ScriptProcess(script, [DEAD_ADDRESS, String(port)]);
  await listener.nextMessage();
  process.kill(listener.pid ?? 0, 'SIGSTOP');
  const sockets = Array.from({ length: CONNECTIONS }, () =>
    net.connect(port, DEAD_ADDRESS).on('error', () => undefined),
  );
  // The backlog is full once it has taken as many as it can.
  await Promise.all(sockets.slice(0, 2).map((socket) => once(socket, 'connect')));
  return async () => {
    for (const socket of sockets) socket.destroy();
    await listener.kill();
  };
}

/** All faults of the table. */
export const HOST_FAULTS: readonly HostFault[] = [
  scripted('no answer', { fault: { kind: 'head-hangs' } }),
  scripted('bodies hang', { fault: { kind: 'body-hangs', after: 0 }, operations: ['get'] }, LARGE),
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
    { deadline: 'silence', ...LARGE },
  ),
  scripted(
    'slow link (20 KB a second)',
    { fault: { kind: 'slow', bytesPerSecond: 20_000 }, operations: ['get'] },
    { deadline: 'silence', ...LARGE },
  ),
  fault('refused', refuse),
  scripted('reset', { fault: { kind: 'reset' } }),
  fault('stopped (SIGSTOP)', stop),
  fault('absent at start', refuse, { atStart: true }),
  fault('a name with a dead address', silence, { atStart: true, addresses: [DEAD_ADDRESS, '127.0.0.1'] }),
];
