import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { changeDiskOf } from '../namespaces.js';
import { type Fault, FaultNotPossible, type Scene } from './fault.js';

const USES = ['fs', 'memory,fs'] as const;
// The system calls by which Node.js opens, looks at, reads and writes files, and none by which it does anything else.
const FILE_CALLS = 'openat,statx,pread64,preadv,pwrite64,pwritev';

function diskFault(name: string, mount: string, happen: string, mend: string): Fault {
  return {
    name,
    uses: USES,
    opens: true,
    needs: 'disk',
    mount,
    async strike({ host, disk = '' }: Scene) {
      changeDiskOf(host.pid, disk, happen);
      return async () => changeDiskOf(host.pid, disk, mend);
    },
  };
}

/** What a file system does wrong. */
export const DISK_FAULTS: readonly Fault[] = [
  diskFault('the disk is full', 'size=4m', 'head -c 8M /dev/zero > filler 2> /dev/null || true', 'rm filler'),
  diskFault(
    'no inode is left',
    'nr_inodes=300',
    'mkdir filler; (for name in $(seq 400); do : > filler/$name || break; done) 2> /dev/null || true',
    'rm -r filler',
  ),
  diskFault('the disk is read-only', 'size=64m', 'mount -o remount,ro .', 'mount -o remount,rw .'),
  {
    name: 'reading and writing fail with EIO',
    uses: USES,
    opens: true,
    strike: ({ host }) => failFileCalls(host.pid),
  },
];

/** Has strace let the calls of a process fail, all of its threads included. */
async function failFileCalls(pid: number): Promise<() => Promise<void>> {
  const calls = ['-e', `trace=${FILE_CALLS}`, '-e', `inject=${FILE_CALLS}:error=EIO`];
  const tracer = spawn('strace', ['-f', '-o', '/dev/null', ...calls, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  const { promise: attached, resolve } = Promise.withResolvers<boolean>();
  tracer.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
    if (said.includes('attached')) resolve(true);
  });
  tracer.once('error', () => resolve(false));
  const exit = once(tracer, 'exit').then(
    () => resolve(false),
    () => resolve(false),
  );
  if (!(await attached)) throw new FaultNotPossible('strace is not installed, or may attach to no process');
  return async () => {
    tracer.kill('SIGINT');
    await exit;
  };
}
