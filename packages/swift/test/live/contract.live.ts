import { describe } from 'vitest';
import { contractOn, KEYSTONE, TEMPAUTH } from './lab.js';

describe('version 1', () => contractOn(TEMPAUTH));
describe('version 3', () => contractOn(KEYSTONE));
