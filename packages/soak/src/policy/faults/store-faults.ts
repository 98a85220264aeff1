import { changeNetworkOf } from '../namespaces.js';
import { type Fault, storeOf } from './fault.js';

const USES = ['s3', 'memory,s3'] as const;

/** What an S3 that is a process on a network does wrong. */
export const STORE_FAULTS: readonly Fault[] = [
  {
    name: 'the store stands still (SIGSTOP)',
    uses: USES,
    opens: true,
    async strike(scene) {
      const store = storeOf(scene);
      store.signal('SIGSTOP');
      return async () => store.signal('SIGCONT');
    },
  },
  {
    name: 'the store is killed',
    uses: USES,
    opens: true,
    async strike(scene) {
      const store = storeOf(scene);
      await store.kill();
      return () => store.restart();
    },
  },
  {
    name: 'the store refuses connections',
    uses: USES,
    opens: true,
    async strike(scene) {
      const store = storeOf(scene);
      await store.refuse();
      return () => store.accept();
    },
  },
  {
    name: 'the store answers 503',
    uses: USES,
    opens: true,
    async strike(scene) {
      const store = storeOf(scene);
      await store.setFaults([{ fault: { kind: 'error', status: 503, code: 'SlowDown' } }]);
      return () => store.setFaults([]);
    },
  },
  {
    name: 'the network is cut',
    uses: USES,
    opens: true,
    needs: 'network',
    async strike(scene) {
      const { pid } = storeOf(scene);
      changeNetworkOf(pid, 'ip', 'link', 'set', 'lo', 'down');
      return async () => changeNetworkOf(pid, 'ip', 'link', 'set', 'lo', 'up');
    },
  },
];
