import 'reflect-metadata';
import { CACHE, isCacheError } from '@imgproxy-cache/core';
import { UrlConfigError } from '@imgproxy-cache/url';
import type { Container } from 'inversify';
import { createContainer, SERVER } from './container.js';
import { HttpServer } from './http-server.js';
import { SettingsError } from './settings.js';

try {
  await start(await createContainer(process.env));
} catch (error) {
  if (!isOperatorsError(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function start(container: Container): Promise<void> {
  const settings = container.get(SERVER.Settings);
  const server = container.get(HttpServer);
  for (const name of settings.ignoredVariables)
    container.get(SERVER.Logger).warn(`${name} is set and not supported here: it changes nothing`);
  let url: string;
  try {
    await container.get(CACHE.ImageCache).ready();
    url = await server.listen(settings);
  } catch (error) {
    await container.unbindAllAsync();
    throw error;
  }
  // Once: a second signal ends the process without waiting.
  process.once('SIGTERM', () => stop(server, container)).once('SIGINT', () => stop(server, container));
  const cache = container.get(SERVER.CacheDescription);
  process.stdout.write(`image server: ${url}\npictures: ${settings.sourceRoot}\ncache: ${cache.text}\n`);
}

/** Unbinding the cache lets it store what it still holds. */
async function stop(server: HttpServer, container: Container): Promise<void> {
  await server.stop();
  await container.unbindAllAsync();
}

/** What is wrong with the environment, and not with the program. */
function isOperatorsError(error: unknown): error is Error {
  const isConfiguration =
    isCacheError(error) || error instanceof UrlConfigError || error instanceof SettingsError;
  return isConfiguration || (error instanceof Error && 'syscall' in error);
}
