const { createImageCache } = require('@imgproxy-cache/core');

async function main() {
  const cat = { source: 'https://example.com/cat.jpg', options: [['width', '300']], format: 'webp' };
  const render = async () => ({ body: Buffer.from('a cat'), contentType: 'image/webp' });
  const cache = await createImageCache();
  for (let visit = 1; visit <= 2; visit += 1) {
    const { status, image } = await cache.fetch(cat, render);
    console.log(`${status}: ${Buffer.from(await image.bytes())}`);
  }
  await cache.close();
}

main();
