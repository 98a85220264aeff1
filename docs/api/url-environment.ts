/** @module @imgproxy-cache/url/environment */
export * from '../../packages/url/src/environment.js';
