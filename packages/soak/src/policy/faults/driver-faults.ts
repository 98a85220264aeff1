import { lastDriver } from '../caches.js';
import type { OrderedFault } from '../host/host-orders.js';
import type { Fault, Scene } from './fault.js';

const USES = ['memory', 'fs', 's3', 'memory,fs', 'memory,s3'] as const;

function driverFault(name: string, opens: boolean, faults: (scene: Scene) => readonly OrderedFault[]): Fault {
  return {
    name,
    uses: USES,
    opens,
    async strike(scene) {
      const driver = lastDriver(scene.use);
      await scene.host.ask('inject', { driver, faults: faults(scene) });
      return async () => scene.host.ask('clear', undefined);
    },
  };
}

const error = { kind: 'error', code: 'ERR_CACHE_UNAVAILABLE' } as const;

/** What a driver does wrong. */
export const DRIVER_FAULTS: readonly Fault[] = [
  driverFault('the driver fails', true, () => [
    { point: 'get', effect: error },
    { point: 'put', effect: error },
  ]),
  driverFault('the driver hangs', true, () => [
    { point: 'get', effect: { kind: 'hang' } },
    { point: 'put', effect: { kind: 'hang' } },
  ]),
  driverFault('the driver hangs and heeds no signal', true, () => [
    { point: 'get', effect: { kind: 'hang', deaf: true } },
    { point: 'put', effect: { kind: 'hang', deaf: true } },
  ]),
  // Look-ups that are misses go well meanwhile: these alone are no reason to suspend all.
  driverFault('bodies hang', false, () => [{ point: 'body', effect: { kind: 'hang', deaf: true } }]),
  driverFault('stores hang', false, () => [{ point: 'put', effect: { kind: 'hang', deaf: true } }]),
  driverFault('look-ups take most of their time', true, ({ deadline }) => [
    { point: 'get', effect: { kind: 'delay', milliseconds: deadline * 0.75 } },
  ]),
  driverFault('look-ups take a fifth of their time', false, ({ deadline }) => [
    { point: 'get', effect: { kind: 'delay', milliseconds: deadline * 0.2 } },
  ]),
  driverFault('stores are done and said to fail', true, () => [
    { point: 'put', effect: { ...error, done: true } },
  ]),
  driverFault('bodies are corrupt', false, () => [{ point: 'body', effect: { kind: 'corrupt' } }]),
  driverFault('bodies are cut', false, () => [{ point: 'body', effect: { kind: 'truncate', bytes: 1000 } }]),
];
