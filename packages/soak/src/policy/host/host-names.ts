/*
 * Answers of the resolver that the environment dictates, as `name=address,address`. It is the first import of a host:
 * whoever takes `dns.lookup` later takes this one.
 */
import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import type { LookupFunction } from 'node:net';

/** Names the variable. */
export const NAMES_VARIABLE = 'SOAK_NAMES';

const [name, addresses = ''] = (process.env[NAMES_VARIABLE] ?? '').split('=');
const known: LookupAddress[] = addresses.split(',').map((address) => ({ address, family: 4 }));
const right = dns.lookup as LookupFunction;

const lookup: LookupFunction = (hostname, options, callback) => {
  const [first] = known;
  if (hostname !== name || first === undefined) right(hostname, options, callback);
  else if ((options as LookupOptions).all) process.nextTick(callback, null, known);
  else process.nextTick(callback, null, first.address, first.family);
};

if (name !== '') {
  Object.assign(dns, { lookup });
  syncBuiltinESMExports();
}
