export * from './byte-budget.js';
export * from './circuit-breaker.js';
export * from './deadline.js';
export * from './error-reporting.js';
export * from './failure-log.js';
export * from './logger.js';
export * from './single-flight.js';
export * from './store-queue.js';
