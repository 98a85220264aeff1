/*
 * The thread that a DatabaseThread talks to: it does one call after the other, and answers each.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Call, Reply } from './database-thread.js';
import { type DatabaseOptions, EntryDatabase } from './entry-database.js';
import { failureOf } from './sqlite-failures.js';

const options = workerData as DatabaseOptions;
const database = new EntryDatabase(options, (event) => send({ event }));

parentPort?.on('message', (call: Call | 'close') => {
  if (call === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  try {
    const method = database[call.method] as (...args: unknown[]) => unknown;
    send({ answer: method.apply(database, [...call.args]) });
  } catch (thrown) {
    send({ failure: failureOf(thrown, options) });
  }
});

function send(reply: Reply): void {
  const bytes = 'answer' in reply && reply.answer instanceof Uint8Array ? [reply.answer.buffer] : [];
  parentPort?.postMessage(reply, bytes as ArrayBuffer[]);
}
