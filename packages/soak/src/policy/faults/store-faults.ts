import { changeNetworkOf } from '../namespaces.js';
import type { StoreMood } from '../scripted-store/scripted-store.js';
import { type Fault, type Scene, storeOf } from './fault.js';

const USES = ['s3', 'memory,s3'] as const;

function moodFault(name: string, mood: StoreMood): Fault {
  return {
    name,
    uses: USES,
    opens: true,
    async strike(scene: Scene) {
      const store = storeOf(scene);
      await store.setMood(mood);
      return () => store.setMood('sound');
    },
  };
}

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
  moodFault('the store refuses connections', 'refusing'),
  moodFault('the store answers 503', 'unavailable'),
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
