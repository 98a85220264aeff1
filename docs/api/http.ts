/** @module @imgproxy-cache/http */
export * from '../../packages/http/src/index.js';
