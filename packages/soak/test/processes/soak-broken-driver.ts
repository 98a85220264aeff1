/*
 * Soaks one of the broken drivers and prints the result: in a process of its own, since some leave things behind.
 */
import { soakS3 } from 'soak';
import { BROKEN_DRIVERS } from '../broken-drivers.ts';

const broken = BROKEN_DRIVERS.find(({ mistake }) => mistake === process.argv[2]);
if (broken === undefined) throw new Error(`no broken driver ${process.argv[2]}`);
// The soak listens itself; without this listener the process would end before it.
process.on('unhandledRejection', () => undefined);
const run = { seed: 7, operations: broken.operations, progress: () => undefined };
const result = await soakS3(run, { definition: broken.definition(), patience: 5000 });
process.stdout.write(JSON.stringify(result), () => process.exit());
