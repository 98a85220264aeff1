/** @module @imgproxy-cache/url */
export * from '../../packages/url/src/index.js';
