/** @module @imgproxy-cache/s3 */
export * from '../../packages/s3/src/index.js';
