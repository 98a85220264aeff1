/** @module @imgproxy-cache/core/driver */
export * from '../../packages/core/src/driver/index.js';
