// A host. Where the environment lists addresses, every name has these.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { createImageCache } from '@imgproxy-cache/core';
import swift from '@imgproxy-cache/swift';

if (process.env.ADDRESSES !== undefined) {
  const addresses = process.env.ADDRESSES.split(',').map((address) => ({ address, family: 4 }));
  dns.lookup = (_name, options, callback) => {
    setImmediate(() => {
      if (options.all) callback(null, addresses);
      else callback(null, addresses[0].address, 4);
    });
  };
  syncBuiltinESMExports();
}

const cache = await createImageCache({ drivers: [swift] });
for (let request = 0; request < 2; request += 1) {
  const { status, image } = await cache.fetch(
    { source: 'https://example.com/cat.jpg', options: [['width', '300']], format: 'webp' },
    async () => ({ body: Buffer.from('rendered'), contentType: 'image/webp' }),
  );
  for await (const chunk of image.stream()) process.stdout.write(chunk);
  process.stdout.write(` ${status}\n`);
}
await cache.close();
