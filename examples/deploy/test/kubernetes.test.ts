import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, PersistentVolumeClaim, Secret, Service } from 'kubernetes-models/v1';
import { expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { pathOf, read } from './files.js';
import { bytes, expectConsistent } from './variables.js';

interface Manifest {
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: the models check what a manifest has.
  readonly [field: string]: any;
}

const models = { ConfigMap, Secret, PersistentVolumeClaim, Deployment, Service, PodDisruptionBudget };
const manifests = parseAllDocuments(read('kubernetes/image-server.yaml')).map(
  (document) => document.toJS() as Manifest,
);
const deployment = named('Deployment');
const pod = deployment['spec'].template.spec;
const [container] = pod.containers;
const { data } = named('ConfigMap');

test.each(manifests)('the $kind keeps its schema', (manifest) => {
  const Model = models[manifest.kind as keyof typeof models];
  expect(Model).toBeDefined();
  new Model(manifest as never).validate();
});

// The models check values, and only the types know every field.
test('no field is unknown, and a misspelt one would be found', () => {
  expect(typeErrors(manifests)).toBe('');
  const misspelt = structuredClone(deployment);
  misspelt['spec'].template.spec.terminationGracePeriod = 35;
  expect(typeErrors([misspelt])).toMatch(/"terminationGracePeriod"' does not exist/);
});

test('probes ask /health, which never asks the store', () => {
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
    expect(container[probe].httpGet, probe).toEqual({ path: '/health', port: 'http' });
});

test('the pod has time to stop, and limits that fit its variables', () => {
  const { memory, cpu } = container.resources.limits;
  const pause = container.lifecycle.preStop.sleep.seconds;
  expectConsistent(data, {
    memory: bytes(memory),
    cpus: Number(cpu),
    stopSeconds: pod.terminationGracePeriodSeconds - pause,
  });
});

test('the pod runs without rights on a read-only root', () => {
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

test('what the container mounts exists, and the folders of the variables are mounted', () => {
  const mounts: { name: string; mountPath: string }[] = container.volumeMounts;
  const volumes: { name: string }[] = pod.volumes;
  expect(mounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
  const paths = mounts.map(({ mountPath }) => mountPath);
  expect(paths).toContain(data.IMGPROXY_CACHE_FS_ROOT);
  expect(paths).toContain(data.IMGPROXY_LOCAL_FILESYSTEM_ROOT);
});

test('the cache on disk evicts before Kubernetes evicts the pod', () => {
  const volumes: { name: string; emptyDir: { sizeLimit: string } }[] = pod.volumes;
  const cache = volumes.find(({ name }) => name === 'cache');
  expect(Number(data.IMGPROXY_CACHE_FS_MAX_SIZE)).toBeLessThan(bytes(cache?.emptyDir.sizeLimit ?? ''));
});

test('selectors find the pod, and the image has a version', () => {
  const { labels } = deployment['spec'].template.metadata;
  expect(deployment['spec'].selector.matchLabels).toEqual(labels);
  expect(named('Service')['spec'].selector).toEqual(labels);
  expect(named('PodDisruptionBudget')['spec'].selector.matchLabels).toEqual(labels);
  expect(container.image).toMatch(/:\d/);
});

function named(kind: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
}

/** What the compiler says of the manifests as literals of the types of their kinds. */
function typeErrors(checked: readonly Manifest[]): string {
  // Below this folder, where the compiler finds the types.
  const folder = mkdtempSync(pathOf('node_modules/.manifests-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const lines = checked.map(({ kind, ...fields }) => {
    const module = kind === 'Deployment' ? 'apps/v1' : kind === 'PodDisruptionBudget' ? 'policy/v1' : 'v1';
    const type = `import('kubernetes-models/${module}').I${kind}`;
    return `({ kind: ${JSON.stringify(kind)}, ...(${JSON.stringify(fields)} satisfies Omit<${type}, 'kind'>) });`;
  });
  writeFileSync(join(folder, 'manifests.mts'), `${lines.join('\n')}\nexport {};\n`);
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2023', '--module', 'nodenext'];
  const compiler = pathOf('../../node_modules/.bin/tsc');
  const { stdout } = spawnSync(compiler, [...options, '--ignoreConfig', join(folder, 'manifests.mts')]);
  return String(stdout);
}
