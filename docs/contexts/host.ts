import type { ServerResponse } from 'node:http';
import type { Logger } from '@imgproxy-cache/core';

declare const response: ServerResponse;
declare const logger: Logger;
declare function render(signal: AbortSignal): Promise<Uint8Array>;
declare function alarm(message: string): void;
