/** @module @imgproxy-cache/http-transport */
export * from '../../packages/http-transport/src/index.js';
