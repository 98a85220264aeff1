/*
 * Overrides the resolver for one name, as `name=address,address` in the environment. A host imports this first, since
 * whatever takes `dns.lookup` later must take this one.
 */
import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import type { LookupFunction } from 'node:net';

const [name, addresses = ''] = (process.env['SOAK_NAMES'] ?? '').split('=');
const known: LookupAddress[] = addresses.split(',').map((address) => ({ address, family: 4 }));
const original = dns.lookup as LookupFunction;

const lookup: LookupFunction = (hostname, options, callback) => {
  const [first] = known;
  if (hostname !== name || first === undefined) original(hostname, options, callback);
  else if ((options as LookupOptions).all) process.nextTick(callback, null, known);
  else process.nextTick(callback, null, first.address, first.family);
};

if (name !== '') {
  Object.assign(dns, { lookup });
  syncBuiltinESMExports();
}
