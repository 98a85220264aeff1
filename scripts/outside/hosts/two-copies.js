import { CACHE, CacheError, createImageCache, isCacheError } from '@imgproxy-cache/core';
import * as driver from 'imgproxy-cache-driver-down';

const cat = { source: 'https://example.com/cat.jpg' };
const render = async () => ({ body: Buffer.from('a cat'), contentType: 'image/webp' });

const quiet = await createImageCache({ logger: { info() {}, warn() {}, error() {}, debug() {} } });
const { status } = await quiet.fetch(cat, render);
await quiet.close();

const strict = await createImageCache({ env: { ...process.env, IMGPROXY_CACHE_REPORT_ERRORS: 'true' } });
const error = await strict.fetch(cat, render).catch((thrown) => thrown);
await strict.close();

const result = {
  sameClass: driver.CacheError === CacheError,
  sameTokens: Object.keys(CACHE).every((part) => CACHE[part] === driver.CACHE[part]),
  status: String(status),
  reported: { recognised: isCacheError(error), code: error.code, driver: error.driver },
};
console.log(JSON.stringify(result));
