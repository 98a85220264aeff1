/** @module @imgproxy-cache/memory */
export * from '../../packages/memory/src/index.js';
