import { driverContract } from '@imgproxy-cache/driver-testkit';
import { describe, it } from 'vitest';
import { subject } from './sqlite-subject.ts';

driverContract({ describe, it }, subject);
