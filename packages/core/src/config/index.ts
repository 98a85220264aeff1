export * from './core-table.js';
export * from './environment-rules.js';
export * from './misspelt-variables.js';
export * from './nearest-name.js';
export * from './negotiation-table.js';
export * from './read-config.js';
