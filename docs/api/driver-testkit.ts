/** @module @imgproxy-cache/driver-testkit */
export * from '../../packages/driver-testkit/src/index.js';
