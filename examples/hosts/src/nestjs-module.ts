import type { IncomingMessage, ServerResponse } from 'node:http';
import { createImageCache, ImageCache, isCacheError } from '@imgproxy-cache/core';
import {
  type ArgumentsHost,
  type BeforeApplicationShutdown,
  Catch,
  Controller,
  Get,
  Inject,
  Logger,
  Module,
  NotFoundException,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { APP_FILTER, BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { Connections } from './connections.js';
import { drawPicture, identityOf, parsePicture } from './picture.js';
import { cachingHeaders } from './picture-listener.js';

@Controller()
class PictureController {
  readonly #cache: ImageCache;

  constructor(@Inject(ImageCache) cache: ImageCache) {
    this.#cache = cache;
  }

  @Get('health')
  health(): string {
    return this.#cache.health().status;
  }

  @Get(':size/*source')
  async picture(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<StreamableFile> {
    const picture = parsePicture(request.url ?? '');
    if (picture === undefined) throw new NotFoundException();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const { status, image, vary } = await this.#cache.fetch(
      { ...identityOf(picture), headers: request.headersDistinct, signal: gone.signal },
      () => drawPicture(picture),
    );
    response
      .setHeader('Cache-Status', String(status))
      .setHeaders(new Map(Object.entries(cachingHeaders(vary))));
    return new StreamableFile(image.stream(), {
      type: image.contentType,
      ...(image.size !== undefined && { length: image.size }),
    });
  }
}

/** The cache failed and IMGPROXY_CACHE_REPORT_ERRORS is true: a 503 that nobody may keep. */
@Catch()
class CacheErrorFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>();
    if (isCacheError(error) && !response.headersSent) {
      response
        .writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' })
        .end(error.code);
    } else super.catch(error, host);
  }
}

const log = new Logger(ImageCache.name);

@Module({
  controllers: [PictureController],
  providers: [
    {
      provide: ImageCache,
      useFactory: () =>
        createImageCache({
          resolveFrom: import.meta.url,
          logger: {
            debug: (fields, message) => log.debug({ message, ...fields }),
            info: (fields, message) => log.log({ message, ...fields }),
            warn: (fields, message) => log.warn({ message, ...fields }),
            error: (fields, message) => log.error({ message, ...fields }),
          },
        }),
    },
    { provide: APP_FILTER, useClass: CacheErrorFilter },
  ],
})
export class AppModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #cache: ImageCache;
  readonly #adapterHost: HttpAdapterHost;
  #connections: Connections | undefined;

  constructor(@Inject(ImageCache) cache: ImageCache, @Inject(HttpAdapterHost) adapterHost: HttpAdapterHost) {
    this.#cache = cache;
    this.#adapterHost = adapterHost;
  }

  onApplicationBootstrap(): void {
    this.#connections = new Connections(this.#adapterHost.httpAdapter.getHttpServer());
  }

  /** Nest closes its server next, and waits for every connection that is open then. */
  beforeApplicationShutdown(): Promise<void> | undefined {
    return this.#connections?.close();
  }

  /** Nest has closed its server by then: every request has ended. */
  onApplicationShutdown(): Promise<void> {
    return this.#cache.close();
  }
}
