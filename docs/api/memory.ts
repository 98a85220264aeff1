/** @module @imgproxy-cache/memory */
export * from '../../packages/memory/src/index.js';
export { default } from '../../packages/memory/src/index.js';
