import type { RequestListener } from 'node:http';
import { CACHE, cacheModule, type Environment, type ImageCache } from '@imgproxy-cache/core';
import { Container, type ServiceIdentifier } from 'inversify';
import { serve } from './http-server.js';
import { parsePicture } from './picture.js';
import { pictureListener } from './picture-listener.js';

const PREVIEW_WIDTH = 64;

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`two-caches:${name}`);
const HOST = {
  Previews: token<ImageCache>('Previews'),
  Pictures: token<ImageCache>('Pictures'),
  Listener: token<RequestListener>('Listener'),
};

const container = new Container();
await bindCache(HOST.Previews, { ...process.env, IMGPROXY_CACHE_USE: 'memory' });
await bindCache(HOST.Pictures, process.env);
container.bind(HOST.Listener).toResolvedValue(bySize, [HOST.Previews, HOST.Pictures]).inSingletonScope();

await Promise.all([container.get(HOST.Previews).ready(), container.get(HOST.Pictures).ready()]);
await serve(container.get(HOST.Listener), () => container.unbindAllAsync());

/** The parts of every cache have the same tokens, so each cache has a container; the host's knows it by a name. */
async function bindCache(name: ServiceIdentifier<ImageCache>, env: Environment): Promise<void> {
  const parts = new Container();
  parts.load(await cacheModule({ env, resolveFrom: import.meta.url }));
  container
    .bind(name)
    .toDynamicValue(() => parts.get(CACHE.ImageCache))
    .inSingletonScope()
    .onDeactivation(() => parts.unbindAllAsync());
}

/** Previews are many, small and asked for all the time; pictures are worth a disk or a bucket. */
function bySize(previews: ImageCache, pictures: ImageCache): RequestListener {
  const [answerPreview, answerPicture] = [pictureListener(previews), pictureListener(pictures)];
  return (request, response) => {
    const { width = Infinity } = parsePicture(request.url ?? '') ?? {};
    const answer = width <= PREVIEW_WIDTH ? answerPreview : answerPicture;
    answer(request, response);
  };
}
