/** @module @imgproxy-cache/swift */
export * from '../../packages/swift/src/index.js';
export { default } from '../../packages/swift/src/index.js';
