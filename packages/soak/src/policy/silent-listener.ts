/*
 * Listens at an address with a backlog of one, until its parent stops or kills it.
 */
import net from 'node:net';

process.once('disconnect', () => process.exit());
const [, , host, port] = process.argv;
net.createServer().listen({ host, port: Number(port), backlog: 1 }, () => process.send?.('listening'));
