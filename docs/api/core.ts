/** @module @imgproxy-cache/core */
export * from '../../packages/core/src/index.js';
