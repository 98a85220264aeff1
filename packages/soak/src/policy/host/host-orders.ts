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
  /** Serves images over HTTP, with renderings of so many milliseconds, and tells its port. */
  readonly serve: { asked: { readonly rendering: number }; answer: number };
  /** Begins traffic that goes on until the host is stopped. */
  readonly traffic: { asked: TrafficOptions; answer: undefined };
  readonly tally: { asked: undefined; answer: TrafficTally };
  /** Ends the traffic, closes the cache and says what it is still busy with. */
  readonly close: { asked: undefined; answer: LoadLeft };
}

export type HostOrderName = keyof HostOrders;

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
