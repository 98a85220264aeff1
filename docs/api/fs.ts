/** @module @imgproxy-cache/fs */
export * from '../../packages/fs/src/index.js';
export { default } from '../../packages/fs/src/index.js';
