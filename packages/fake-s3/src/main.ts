/*
 * A fake S3 in a process of its own, which does what it is asked by messages.
 */
import { testTls } from './certificates.js';
import { FakeS3 } from './fake-s3.js';
import type { ServerMessage, ServerOrders, ServerScript, ServerStart } from './fake-s3-process.js';
import type { FaultRule } from './faults.js';

// Nobody would stop it if its starter were killed.
process.once('disconnect', () => process.exit());

let orders: ServerOrders = { start: (asked) => start(asked as ServerStart) };

process.on('message', async ({ id, order, asked }: ServerMessage) => {
  try {
    const perform = orders[order];
    if (perform === undefined) throw new Error(`there is no order ${order}`);
    process.send?.({ id, answer: await perform(asked) });
  } catch (error) {
    process.send?.({ id, failure: String(error instanceof Error ? error.stack : error) });
  }
});

async function start({ port, tls, module, argument, refusing }: ServerStart): Promise<number> {
  const server = new FakeS3({ port, ...(tls && { tls: testTls }) });
  server.checksSignatures = false;
  server.keepsRequests = false;
  const scripted =
    module === undefined
      ? undefined
      : ((await import(module)) as { readonly script: ServerScript }).script(server, argument);
  orders = {
    connections: () => server.openConnections,
    received: () => server.received,
    faults: (rules) => {
      server.faults = rules as readonly FaultRule[];
    },
    refuse: () => server.refuse(),
    accept: () => server.accept(),
    ...scripted,
  };
  await server.accept();
  if (refusing) await server.refuse();
  return server.port;
}
