import type { LookupFunction } from 'node:net';

declare const lookup: LookupFunction;
