import type { IncomingMessage, ServerResponse } from 'node:http';
import { createImageCache, ImageCache, negotiate } from '@imgproxy-cache/core';
import { createNodeHandler, type NodeHandler } from '@imgproxy-cache/http';
import { Controller, Get, Inject, Module, type OnApplicationShutdown, Query, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import sharp from 'sharp';

// Every width is one more image to render and to store.
const WIDTHS = [150, 300, 600, 1200];

@Controller()
class PictureController implements OnApplicationShutdown {
  private readonly serve: NodeHandler;

  constructor(@Inject(ImageCache) private readonly cache: ImageCache) {
    this.serve = createNodeHandler(cache, { maxAge: 3600 });
  }

  @Get('cat.jpg')
  async picture(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Query('width') asked?: string,
  ): Promise<void> {
    const width = WIDTHS.find((each) => each >= Number(asked)) ?? 1200;
    const negotiated = negotiate(request.headers.accept, { autoWebp: true });
    const format = negotiated?.includes('webp') ? 'webp' : 'jpeg';
    await this.serve(
      request,
      response,
      { source: 'cat.jpg', options: [['width', `${width}`]], negotiated },
      async () => ({
        body: await sharp('cat.jpg').resize(width).toFormat(format).toBuffer(),
        contentType: `image/${format}`,
      }),
    );
  }

  // Nest has closed its server by now: every request has ended.
  onApplicationShutdown(): Promise<void> {
    return this.cache.close();
  }
}

@Module({
  controllers: [PictureController],
  providers: [{ provide: ImageCache, useFactory: () => createImageCache({ resolveFrom: import.meta.url }) }],
})
class AppModule {}

const app = await NestFactory.create(AppModule);
app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
await app.listen(process.env['PORT'] ?? 8080);
