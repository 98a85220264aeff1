import { memoryContract } from './memory.js';

memoryContract({ describe, it });
