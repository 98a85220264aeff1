import ts from 'typescript';
import { expect, test } from 'vitest';
import { repository } from './documents.js';

/** What both a host and a driver need. */
const shared = ['CacheError', 'Environment', 'isCacheError'];

const root = [
  'BreakerEvent',
  'CACHE',
  'CACHE_CHANNELS',
  'CORE_TABLE',
  'CacheError',
  'CacheEvents',
  'CacheHealth',
  'CacheKey',
  'CacheKeyBuilder',
  'CacheLoad',
  'CacheOptions',
  'CacheOutcome',
  'CacheRequest',
  'CacheStatus',
  'CacheStatusDetail',
  'CachedImage',
  'CorruptEvent',
  'CreateImageCacheOptions',
  'DriverReportEvent',
  'EntryNames',
  'Environment',
  'ErrorReporting',
  'FailurePhase',
  'FetchResult',
  'GuardedOperation',
  'HeaderValue',
  'ImageCache',
  'ImageCacheSettings',
  'ImageIdentity',
  'KeySettings',
  'Logger',
  'LookupPart',
  'NEGOTIATION_TABLE',
  'NegotiableFormat',
  'NegotiationSettings',
  'NotStoredEvent',
  'NotStoredReason',
  'OperationEvent',
  'OptionPair',
  'ReadConfig',
  'Render',
  'Rendering',
  'RequestCookies',
  'RequestEvent',
  'RequestHeaders',
  'TierHealth',
  'cacheModule',
  'createImageCache',
  'errorReporting',
  'isCacheError',
  'negotiate',
  'readConfig',
];

const driver = [
  'BodySource',
  'BufferedEntry',
  'CACHE_ERROR_CODES',
  'CacheDriver',
  'CacheDriverDefinition',
  'CacheEntry',
  'CacheError',
  'CacheErrorCode',
  'CacheErrorDetails',
  'CacheOperation',
  'CheckFinding',
  'Clock',
  'ConfigFault',
  'ConfigTable',
  'ConfigType',
  'ConfigValues',
  'ConfigVariable',
  'DriverCapabilities',
  'DriverCheck',
  'DriverContext',
  'DriverEvent',
  'EntryDescription',
  'EntryMetadata',
  'Environment',
  'ImageDimensions',
  'MAX_FIELD_BYTES',
  'MAX_METADATA_BYTES',
  'MetadataFields',
  'OperationGuard',
  'OperationOptions',
  'RecentValues',
  'RecentValuesLimits',
  'RunningOperation',
  'StoredEntry',
  'StreamedEntry',
  'Timer',
  'assertEntryName',
  'checkDriver',
  'checkRoundTrip',
  'createEntry',
  'decodeMetadata',
  'defineCacheDriver',
  'encodeMetadata',
  'isCacheError',
  'isEntryName',
  'readVerified',
  'streamVerified',
  'systemClock',
  'verifyBody',
  'verifyName',
];

/** What an author of a driver or a host needs for tests. */
const testkit = [
  'BodyEffect',
  'CONTRACT_RULES',
  'ContractRule',
  'DriverSubject',
  'FaultConditions',
  'FaultDriver',
  'FaultDriverOptions',
  'FaultEffect',
  'FaultPoint',
  'InjectedFault',
  'LeakOptions',
  'ManualClock',
  'ManualClockOptions',
  'OutageCode',
  'PreparedStore',
  'RULE_GROUPS',
  'RuleGroup',
  'ScriptProcess',
  'ScriptProcessOptions',
  'StoreDoors',
  'SubjectGap',
  'TestRunner',
  'driverContract',
  'leakOf',
];

/** A driver's package exports its definition, its class and the types of the class's options. */
const packages = {
  'driver-testkit': testkit,
  fs: ['FsConfig', 'FsDriver', 'default'],
  memory: ['MemoryDriver', 'MemoryDriverOptions', 'default'],
  s3: ['S3Config', 'S3Driver', 'S3DriverOptions', 'default'],
};

const files = {
  '@imgproxy-cache/core': 'packages/core/dist/index.d.ts',
  '@imgproxy-cache/core/driver': 'packages/core/dist/driver/index.d.ts',
  ...Object.fromEntries(
    Object.keys(packages).map((name) => [`@imgproxy-cache/${name}`, `packages/${name}/dist/index.d.ts`]),
  ),
};
const program = ts.createProgram(
  Object.values(files).map((file) => repository + file),
  { module: ts.ModuleKind.NodeNext, noLib: true, types: [] },
);

test.each([
  ['@imgproxy-cache/core', root],
  ['@imgproxy-cache/core/driver', driver],
  ...Object.entries(packages).map(([name, names]) => [`@imgproxy-cache/${name}`, names] as const),
] as const)('%s exports exactly what is listed, values and types', (module, names) => {
  expect(exportsOf(files[module as keyof typeof files])).toEqual(names);
});

test('what a host needs is exported in one place, and so is what a driver needs', () => {
  expect(root.filter((name) => driver.includes(name))).toEqual(shared);
});

/** Names of the values and types that a module's declarations export. */
function exportsOf(file: string): string[] {
  const source = program.getSourceFile(repository + file);
  const checker = program.getTypeChecker();
  const symbol = source && checker.getSymbolAtLocation(source);
  if (symbol === undefined) throw new Error(`${file} is missing: run pnpm build`);
  return checker
    .getExportsOfModule(symbol)
    .map(({ name }) => name)
    .sort();
}
