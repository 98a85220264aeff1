/*
 * An S3 in memory, in a process of its own, that checks no signature and goes wrong as a seed says. It keeps a journal
 * of what was truly stored when, and of the lies that nobody could see through.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SeededRandom } from '../../seeded-random.js';
import { Exchange } from './exchange.js';
import { FAULTS, type Fault } from './faults.js';
import type { StoreOrder, StoreReport } from './journal.js';
import { Objects } from './objects.js';

const random = new SeededRandom(Number(process.argv[2]));
const objects = new Objects();
const faults: Record<string, number> = {};
let share = 0;
let requests = 0;
let answering = 0;
let connections = 0;
let playing = 0;

const server = http.createServer((request, response) => {
  requests += 1;
  answering += 1;
  response.once('close', () => {
    answering -= 1;
  });
  playing += 1;
  handle(request, response)
    // The client went away: nothing is to be done for it.
    .catch(() => response.destroy())
    .finally(() => {
      playing -= 1;
    });
});
server.keepAliveTimeout = 60_000;
server.on('connection', (socket) => {
  connections += 1;
  socket.on('error', () => undefined);
  socket.once('close', () => {
    connections -= 1;
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));

process.on('message', (order: StoreOrder) => {
  if (order.order === 'misbehave') share = order.share;
  else void reportWhenQuiet();
});
// Nobody would stop it if the run itself were killed.
process.once('disconnect', () => process.exit());

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const exchange = new Exchange(request, response, objects);
  const chance = random.next();
  const fault = drawFault(exchange);
  if (fault?.early !== true) await exchange.receive();
  if (fault === undefined) return exchange.serve();
  faults[fault.name] = (faults[fault.name] ?? 0) + 1;
  await fault.play(exchange, chance);
}

function drawFault({ kind }: Exchange): Fault | undefined {
  const strikes = random.next() < share;
  const [first, ...others] = FAULTS.filter(({ kinds }) => kinds.includes(kind));
  return strikes && first !== undefined ? random.pick([first, ...others]) : undefined;
}

/** Reports once nothing is left that could still change an object. */
async function reportWhenQuiet(): Promise<void> {
  while (playing > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const report: StoreReport = { changes: objects.takeChanges(), requests, answering, connections, faults };
  process.send?.(report);
}
