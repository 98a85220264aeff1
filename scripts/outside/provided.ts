import 'vitest';

/** A package of this repository, packed. */
export interface Packed {
  readonly name: string;
  /** From the checkout's root. */
  readonly path: string;
  /** The archive's absolute path. */
  readonly archive: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Every package that is published. */
    packed: readonly Packed[];
    /** Drivers that are written and installed as those of third parties: they are in no registry. */
    thirdParty: readonly Packed[];
    /** Of the registry that has them. */
    registryAddress: string;
    /** Executables of the lowest Node.js that the packages support, and of the one they are developed with. */
    nodes: { readonly lowest: string; readonly current: string };
  }
}
