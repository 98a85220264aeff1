/** @module @imgproxy-cache/s3 */
export * from '../../packages/s3/src/index.js';
export { default } from '../../packages/s3/src/index.js';
