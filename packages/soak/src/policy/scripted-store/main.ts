/*
 * A sound S3 in memory, in a process of its own, that can be told to be unavailable or to refuse connections.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Exchange } from '../../s3/faulty-store/exchange.js';
import { Objects } from '../../s3/faulty-store/objects.js';
import type { StoreMood } from './scripted-store.js';

const RETRY = 100;

// Nobody would stop it if the run itself were killed.
process.once('disconnect', () => process.exit());

const objects = new Objects();
let mood: StoreMood = 'sound';
const server = http.createServer((request, response) => {
  // The client went away: nothing is to be done for it.
  handle(request, response).catch(() => response.destroy());
});
server.keepAliveTimeout = 60_000;
server.on('connection', (socket) => socket.on('error', () => undefined));
// Somebody else may have the port for a moment.
server.on('error', () => setTimeout(() => listen(port), RETRY));
let port = Number(process.argv[2]);
server.on('listening', () => {
  ({ port } = server.address() as AddressInfo);
  process.send?.({ port });
});
listen(port);

process.on('message', ({ mood: wanted }: { mood: StoreMood | undefined }) => {
  if (wanted === undefined) server.getConnections((_error, connections) => process.send?.({ connections }));
  else void change(wanted);
});

function listen(at: number): void {
  server.listen(at, '127.0.0.1');
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const exchange = new Exchange(request, response, objects);
  await exchange.receive();
  if (mood === 'unavailable') exchange.sendError(503, 'SlowDown');
  else exchange.serve();
  // The journal is of no use here.
  objects.takeChanges();
}

async function change(wanted: StoreMood): Promise<void> {
  const before = mood;
  mood = wanted;
  if (wanted === 'refusing') {
    server.close(() => process.send?.({ port }));
    server.closeAllConnections();
  } else if (before === 'refusing') listen(port);
  else process.send?.({ port });
}
