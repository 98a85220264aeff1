import type { RequestListener } from 'node:http';
import { CACHE, cacheModule, type Logger } from '@imgproxy-cache/core';
import { Container, type ServiceIdentifier } from 'inversify';
import { serve } from './http-server.js';
import { pictureListener } from './picture-listener.js';

const HOST = {
  Listener: Symbol.for('own-container:Listener') as ServiceIdentifier<RequestListener>,
};

const logLine =
  (level: string) =>
  (fields: object, message: string): void => {
    process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
  };
const jsonLogger: Logger = {
  debug: () => undefined,
  info: logLine('info'),
  warn: logLine('warn'),
  error: logLine('error'),
};

const container = new Container();
container.load(await cacheModule({ resolveFrom: import.meta.url }));
container.rebind<Logger>(CACHE.Logger).toConstantValue(jsonLogger);
container.bind(HOST.Listener).toResolvedValue(pictureListener, [CACHE.ImageCache]).inSingletonScope();

// Checks the store before requests come.
await container.get(CACHE.ImageCache).ready();

await serve(container.get(HOST.Listener), () => container.unbindAllAsync());
