// Preloaded: every name has the addresses that the environment lists.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

const addresses = (process.env.ADDRESSES ?? '').split(',').map((address) => ({ address, family: 4 }));

dns.lookup = (_name, options, callback) => {
  setImmediate(() => {
    if (options.all) callback(null, addresses);
    else callback(null, addresses[0].address, 4);
  });
};
syncBuiltinESMExports();
