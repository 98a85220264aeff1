import { createImageCache } from '@imgproxy-cache/core';
import { serve } from './http-server.js';
import { pictureListener } from './picture-listener.js';

// Reads IMGPROXY_CACHE_*, finds the driver among the packages that this one depends on, and checks the store.
const cache = await createImageCache({ resolveFrom: import.meta.url });

await serve(pictureListener(cache), () => cache.close());
