import { describe, it } from 'node:test';
import { driverContract } from '@imgproxy-cache/driver-testkit';
import { subject } from './sqlite-subject.ts';

driverContract({ describe, it }, subject);
