import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@imgproxy-cache/core';

declare const request: IncomingMessage;
declare const response: ServerResponse;
declare const logger: Logger;
declare function render(signal: AbortSignal): Promise<Uint8Array>;
declare function alarm(message: string): void;
