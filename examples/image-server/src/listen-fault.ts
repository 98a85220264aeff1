import { isIPv6 } from 'node:net';

const REASONS = new Map([
  ['EADDRINUSE', 'something listens there already. End it, or choose another port'],
  ['EACCES', 'this user may not. Choose another port: those below 1024 are often reserved'],
  ['EADDRNOTAVAIL', 'this machine has no such address. Choose one that it has'],
  ['ENOTFOUND', 'the host name has no address. Choose another'],
  ['EAI_AGAIN', 'the host name cannot be looked up. Choose an address'],
]);

/** Why the server cannot listen, and what to do; undefined for an error that has nothing to do with the address. */
export function listenFault(error: unknown, host: string, port: number): string | undefined {
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  const reason = REASONS.get(code) ?? (syscall === 'listen' ? 'choose another address' : undefined);
  if (reason === undefined) return undefined;
  const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return `IMGPROXY_BIND: cannot listen on ${address} (${code}): ${reason}, such as IMGPROXY_BIND=:8081; port 0 takes any that is free`;
}
