import type { BodyEffect, FaultEffect, FaultPoint } from '@imgproxy-cache/driver-testkit';

/** A fault that a driver is told to have. */
export interface OrderedFault {
  readonly point: FaultPoint;
  readonly effect: Exclude<FaultEffect, { kind: 'lie' }> | BodyEffect;
}

/** What a host measures. All times are in milliseconds. */
export interface MeasureOptions {
  /** How long, at least. */
  readonly duration: number;
  /** Whether it goes on until look-ups or stores are suspended. */
  readonly opens: boolean;
  /** The look-up deadline that the cache is held to. */
  readonly deadline: number;
  /** How long is waited for an answer, and for look-ups or stores to be suspended. */
  readonly patience: number;
}

/** What traffic is made of. */
export interface TrafficOptions {
  readonly seed: number;
  /** How many images there are. */
  readonly sources: number;
  /** Size of the largest, in bytes. */
  readonly largest: number;
  /** Share of the operations that delete an image, so that it is stored again. */
  readonly deletions: number;
  /** Operations at a time. */
  readonly lanes: number;
  /** How long each lane rests between two of them, in milliseconds. */
  readonly pause: number;
}

/** What a host can be asked, by name, and what it answers. */
export interface HostOrders {
  /** Stores some images and waits until they are hits. */
  readonly store: { asked: { readonly patience: number }; answer: boolean };
  readonly inject: {
    asked: { readonly driver: string; readonly faults: readonly OrderedFault[] };
    answer: undefined;
  };
  /** Removes all faults that were injected. */
  readonly clear: { asked: undefined; answer: undefined };
  readonly measure: { asked: MeasureOptions; answer: Measurement };
  /** How long it took until images were stored and were hits, with every driver healthy; `undefined`: for ever. */
  readonly recover: { asked: { readonly patience: number }; answer: number | undefined };
  /** Begins traffic that goes on until the host is stopped. */
  readonly traffic: { asked: TrafficOptions; answer: undefined };
  readonly tally: { asked: undefined; answer: TrafficTally };
  /** Ends the traffic, closes the cache and says what it is still busy with. */
  readonly close: { asked: undefined; answer: LoadLeft };
}

export type HostOrderName = keyof HostOrders;

/** What a host measured under a fault. All times are in milliseconds. */
export interface Measurement {
  /** Rendering alone, at the same moments as the requests. */
  readonly baseline: readonly number[];
  /** Rendering alone after the look-up deadline has passed, at the same moments. */
  readonly bound: readonly number[];
  /** Requests to the cache. */
  readonly requests: readonly number[];
  /** Whether look-ups or stores were ever suspended. */
  readonly opened: boolean;
  /** Requests that were rendered while look-ups were suspended from their beginning to their end. */
  readonly suspended: readonly number[];
  /** By how much each of these took longer than rendering alone at the same moment. */
  readonly suspendedExcess: readonly number[];
  /** Statuses of the answers with their counts. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Requests that failed or were not answered, and why. */
  readonly unanswered: readonly string[];
  /** Wrong images. */
  readonly wrong: readonly string[];
}

/** What traffic has done. */
export interface TrafficTally {
  readonly requests: number;
  readonly hits: number;
  /** Bytes of images that were given to be stored. */
  readonly stored: number;
  readonly deletions: number;
  /** Deletions that failed. */
  readonly failures: number;
}

/** What a closed cache is busy with. */
export interface LoadLeft {
  readonly flights: number;
  readonly stores: number;
  readonly bytes: number;
}

/** What a host tells without being asked. */
export type HostNews =
  | { readonly news: 'ready' }
  | { readonly news: 'trouble'; readonly kind: 'wrong' | 'unanswered'; readonly story: string };
