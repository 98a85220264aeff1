import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';

/** More than fit into the backlog: the kernel leaves what comes after them without an answer. */
const CONNECTIONS = 8;
const LISTEN = `
  const [host, port] = process.argv.slice(1);
  require('node:net').createServer().listen({ host, port, backlog: 1 }, () => process.send('listening'));
  process.once('disconnect', () => process.exit());
`;

/**
 * Makes an address of this machine silent, as one behind a firewall is: a listener that takes no connection, and whose
 * backlog is full.
 * @returns what makes it refuse connections instead
 */
export async function openSilentAddress(host: string, port: number): Promise<() => Promise<void>> {
  const listener = spawn(process.execPath, ['-e', LISTEN, host, String(port)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(listener, 'message');
  listener.kill('SIGSTOP');
  const sockets = Array.from({ length: CONNECTIONS }, () =>
    net.connect(port, host).on('error', () => undefined),
  );
  // As many as the backlog takes: only then is it full.
  await Promise.all(sockets.slice(0, 2).map((socket) => once(socket, 'connect')));
  return async () => {
    for (const socket of sockets) socket.destroy();
    const exit = once(listener, 'exit');
    listener.kill('SIGKILL');
    await exit;
  };
}
