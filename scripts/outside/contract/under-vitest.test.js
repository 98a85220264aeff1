import { describe, it } from 'vitest';
import { memoryContract } from './memory.js';

memoryContract({ describe, it });
