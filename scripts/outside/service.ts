import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { personalEnvironment } from './process.js';

/** A service that a shell command has started. */
export interface Service {
  /** Stops it by SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
}

/** A port that nothing listens at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a service and waits until it answers. @throws with its output if it ends before */
export async function startService(
  command: string,
  { folder, node, port }: { readonly folder: string; readonly node: string; readonly port: number },
): Promise<Service> {
  const env = personalEnvironment();
  const child = spawn('sh', ['-ec', withExec(command)], {
    cwd: folder,
    env: { ...env, PATH: `${dirname(node)}:${env['PATH']}`, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = once(child, 'exit');
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  while (!(await answers(port))) {
    if (hasEnded) throw new Error(`"${command}" ended with exit code ${child.exitCode}:\n${output}`);
    await setTimeout(100);
  }
  return {
    async stop() {
      child.kill('SIGTERM');
      await ended;
      return child.exitCode;
    },
  };
}

async function answers(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/nothing`).then(
    (response) => response.arrayBuffer().then(() => true),
    () => false,
  );
}

/** So that the signal reaches the service and not only its shell. */
function withExec(command: string): string {
  return command
    .trim()
    .replace(/\n?((?:[A-Z_]+=\S+ )*)(\S+ [^\n]*)$/, '\n$1exec $2')
    .trim();
}
