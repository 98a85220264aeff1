import { beforeAll } from 'vitest';
import { contractOn, ensureBucket, liveConfig } from './live-store.js';

const config = liveConfig();

beforeAll(() => ensureBucket(config));
contractOn(config);
