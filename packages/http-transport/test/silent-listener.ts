import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

export const SILENT_ADDRESS = '127.0.0.3';

// Linux keeps one connection more than the backlog for a program that accepts none, and drops what comes after.
const BACKLOG = 1;

// Blocked, so that it never accepts anything.
const LISTENER = `
  const { parentPort, workerData } = require('node:worker_threads');
  require('node:net').createServer().listen(workerData, () => {
    parentPort.postMessage('listening');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** Makes a port of {@link SILENT_ADDRESS} swallow connections until the test is over: its backlog is full. */
export async function startSilentListener(port: number): Promise<void> {
  const listening = { host: SILENT_ADDRESS, port, backlog: BACKLOG };
  const worker = new Worker(LISTENER, { eval: true, workerData: listening });
  onTestFinished(async () => void (await worker.terminate()));
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  for (let filled = 0; filled <= BACKLOG; filled += 1) {
    const filler = net.connect(port, SILENT_ADDRESS);
    onTestFinished(() => void filler.destroy());
    await new Promise((resolve, reject) => filler.once('connect', resolve).once('error', reject));
    filler.on('error', () => {});
  }
}
