/**
 * Allowed imports, as rules for dependency-cruiser. A package that no list below names counts as a driver, so that the
 * strictest rules apply to new packages.
 * @import { IForbiddenRuleType } from 'dependency-cruiser'
 */

const notDrivers = 'core|url|http|http-transport|driver-testkit|fake-s3|bench|soak';
const seesEverything = 'bench|soak';
const driverSource = `^packages/((?!(?:${notDrivers})/)[^/]+)/src/`;
const modules = 'driver|key|config|resilience|cache|telemetry|container';
const moduleOf = (/** @type {string} */ name) => `^packages/core/src/${name}/`;
const otherModules = (/** @type {string[]} */ ...allowed) => ({
  path: '^packages/core/src/',
  pathNot: allowed.map(moduleOf),
});

/** @type {IForbiddenRuleType[]} */
export const importRules = [
  {
    name: 'driver-stands-alone',
    comment: 'The driver contract imports no other module of core.',
    severity: 'error',
    from: { path: moduleOf('driver') },
    to: otherModules('driver'),
  },
  {
    name: 'key-on-driver',
    comment: 'Keys know the driver contract and no other module.',
    severity: 'error',
    from: { path: moduleOf('key') },
    to: otherModules('key', 'driver'),
  },
  {
    name: 'config-on-driver',
    comment: 'Configuration knows the driver contract and no other module.',
    severity: 'error',
    from: { path: moduleOf('config') },
    to: otherModules('config', 'driver'),
  },
  {
    name: 'resilience-on-driver',
    comment: 'Resilience knows the driver contract and no other module.',
    severity: 'error',
    from: { path: moduleOf('resilience') },
    to: otherModules('resilience', 'driver'),
  },
  {
    name: 'resilience-knows-no-wire',
    comment: 'Resilience treats every store alike: it knows no HTTP and no SDK.',
    severity: 'error',
    from: { path: moduleOf('resilience') },
    to: {
      path: [
        '^(https?|http2|net|tls)$',
        '(^|node_modules/)(undici|got|axios|fastify|express|@aws-sdk|@smithy|@google-cloud|@azure)(/|$)',
      ],
    },
  },
  {
    name: 'cache-on-key-resilience-driver',
    comment: 'The path of a request uses keys, resilience and drivers.',
    severity: 'error',
    from: { path: moduleOf('cache') },
    to: otherModules('cache', 'key', 'resilience', 'driver', 'config'),
  },
  {
    name: 'cache-takes-types-of-config',
    comment: 'The cache receives its settings: of the configuration it imports types only.',
    severity: 'error',
    from: { path: moduleOf('cache') },
    to: { path: moduleOf('config'), dependencyTypesNot: ['type-only', 'type-import'] },
  },
  {
    name: 'telemetry-on-events',
    comment: "Telemetry subscribes to the cache's events: it knows their types and the driver contract.",
    severity: 'error',
    from: { path: moduleOf('telemetry') },
    to: {
      path: '^packages/core/src/',
      pathNot: [moduleOf('telemetry'), moduleOf('driver'), '^packages/core/src/cache/[a-z-]*events?[.]ts$'],
    },
  },
  {
    name: 'container-is-the-top',
    comment: "Nothing but core's index imports the container.",
    severity: 'error',
    from: { path: '^packages/core/src/', pathNot: [moduleOf('container'), '^packages/core/src/index[.]ts$'] },
    to: { path: moduleOf('container') },
  },
  {
    name: 'known-modules',
    comment: 'A new folder of core needs rules of its own here.',
    severity: 'error',
    from: {},
    to: { path: '^packages/core/src/[^/]+/', pathNot: moduleOf(`(?:${modules})`) },
  },
  {
    name: 'core-on-no-package',
    comment: 'Core finds the drivers at run time, by name: it imports no other package of this workspace.',
    severity: 'error',
    from: { path: '^packages/core/src/' },
    to: { path: '^packages/(?!core/)' },
  },
  {
    name: 'driver-package-on-contract',
    comment:
      'Of this workspace a driver imports @imgproxy-cache/core/driver and http-transport, nothing else.',
    severity: 'error',
    from: { path: driverSource },
    to: {
      path: '^(packages|examples)/',
      pathNot: ['^packages/$1/', '^packages/core/dist/driver/', '^packages/http-transport/dist/'],
    },
  },
  {
    name: 'third-party-driver-on-contract',
    comment: "The example of a third party's driver is written against the contract alone.",
    severity: 'error',
    from: { path: '^examples/custom-driver/src/' },
    to: {
      path: '^(packages|examples)/',
      pathNot: ['^examples/custom-driver/', '^packages/core/dist/driver/'],
    },
  },
  {
    name: 'drivers-are-leaves',
    comment: 'No package imports a driver: not url, not another driver. Examples and services do.',
    severity: 'error',
    from: { path: `^packages/((?!(?:${seesEverything})/)[^/]+)/src/` },
    to: { path: `^packages/(?!(?:${notDrivers})/)`, pathNot: '^packages/$1/' },
  },
  {
    name: 'http-on-core',
    comment:
      'Of this workspace http imports core alone, and no framework: an adapter is for node:http or the Fetch API.',
    severity: 'error',
    from: { path: '^packages/http/src/' },
    to: {
      pathNot: '^packages/(http|core)/',
      dependencyTypesNot: ['core'],
    },
  },
  {
    name: 'fake-s3-on-no-package',
    comment: 'Tests of all packages use the fake S3: it imports no other package of this workspace.',
    severity: 'error',
    from: { path: '^packages/fake-s3/src/' },
    to: { path: '^(packages|examples)/(?!fake-s3/)' },
  },
  {
    name: 'through-the-public-entry-point',
    comment: "A package, its tests and the examples use another package's exports, never its files.",
    severity: 'error',
    from: { path: '^((?:packages|examples)/[^/]+)/' },
    to: { path: '^(packages|examples)/[^/]+/(src|test)/', pathNot: '^$1/' },
  },
  {
    name: 'tests-use-the-public-entry-point',
    comment: "A package's tests import the package by its name, as its users do.",
    severity: 'error',
    from: { path: '^packages/[^/]+/test/' },
    to: { path: '^packages/[^/]+/src/' },
  },
  {
    name: 'no-cycle',
    comment: 'Merge files that import each other, or move what they share into a third.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-orphan',
    comment: 'A source file that nothing imports and that is no entry point is dead code.',
    severity: 'error',
    from: { orphan: true, path: '/src/', pathNot: ['/src/(index|main)[.]ts$', '[.]d[.]ts$'] },
    to: {},
  },
  {
    name: 'declared-dependencies',
    comment: 'The package.json of a package lists everything that its files import.',
    severity: 'error',
    from: { path: '^(packages|examples)/[^/]+/src/' },
    to: {
      dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'],
      // The packages of this workspace find each other only where they are declared.
      pathNot: '^packages/[^/]+/dist/',
    },
  },
  {
    name: 'no-dev-dependency-in-source',
    comment: 'Installing a package does not install its devDependencies.',
    severity: 'error',
    from: { path: '^(packages|examples)/[^/]+/src/' },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'] },
  },
];
