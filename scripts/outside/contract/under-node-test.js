import { describe, it } from 'node:test';
import { memoryContract } from './memory.js';

memoryContract({ describe, it });
