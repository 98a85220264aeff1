import { describe } from 'vitest';
import { contractOn, KEYSTONE, OTHER_DOMAIN, TEMPAUTH } from './lab.js';

describe('version 1', () => contractOn(TEMPAUTH));
describe('version 3', () => contractOn(KEYSTONE));
describe('version 3, another domain and region', () => contractOn(OTHER_DOMAIN));
