import { NestFactory } from '@nestjs/core';
import { AppModule } from './nestjs-module.js';

const app = await NestFactory.create(AppModule);
app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
await app.listen(process.env['PORT'] ?? 8080);
process.stdout.write(`listening on ${await app.getUrl()}\n`);
