import { execFileSync, spawnSync } from 'node:child_process';

/** Mounts a file system with these options at a folder, in a namespace of its own, and runs what follows there. */
export function onOwnDisk(folder: string, options: string): readonly string[] {
  return [
    'unshare',
    '-Urm',
    'sh',
    '-c',
    'mount -t tmpfs -o "$1" tmpfs "$0" && shift && exec "$@"',
    folder,
    options,
  ];
}

/** Runs what follows with a network of its own, in which there is nothing but the loopback. */
export const ON_OWN_NETWORK: readonly string[] = [
  'unshare',
  '-Urn',
  'sh',
  '-c',
  'ip link set lo up && exec "$@"',
  'sh',
];

/** Runs what follows in the network of a process. */
export function inNetworkOf(pid: number): readonly string[] {
  return ['nsenter', `--target=${pid}`, '--user', '--net', '--preserve-credentials'];
}

/** Runs a command in the network of a process. */
export function changeNetworkOf(pid: number, ...command: readonly string[]): void {
  const [program = '', ...args] = [...inNetworkOf(pid), ...command];
  execFileSync(program, args);
}

/** Runs shell lines in a folder, in the mount namespace of a process. */
export function changeDiskOf(pid: number, folder: string, lines: string): void {
  const namespaces = [`--target=${pid}`, '--user', '--mount', '--preserve-credentials'];
  execFileSync('nsenter', [...namespaces, 'sh', '-c', `cd "$0" && ${lines}`, folder]);
}

/** What this system does not let this user do, by what needs it; `undefined` where it does. */
export const OBSTACLES: Readonly<Record<'disk' | 'network', string | undefined>> = {
  disk: trial('mount a file system in a namespace', ['-Urm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']),
  network: trial('have a network in a namespace', ['-Urn', 'ip', 'link', 'set', 'lo', 'up']),
};

function trial(what: string, args: readonly string[]): string | undefined {
  return spawnSync('unshare', args).status === 0 ? undefined : `this system lets nobody ${what} of his own`;
}
