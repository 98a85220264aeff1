import { ABSENT, type Version } from './journal.js';
import type { StoredModel } from './stored-model.js';

/** What a driver said of the store, and between which two moments. */
export type Sighting = { readonly from: number; readonly to: number } & (
  | { readonly kind: 'found'; readonly name: string; readonly version: Version }
  | { readonly kind: 'written'; readonly name: string; readonly version: Version }
  | { readonly kind: 'listed'; readonly prefix: string; readonly names: readonly string[] }
);

/** Why a sighting cannot be true, as far as the store's own journal tells. */
export function findContradictions(sighting: Sighting, model: StoredModel): string[] {
  const { from, to } = sighting;
  switch (sighting.kind) {
    case 'found': {
      const visible = model.visible(sighting.name, from, to);
      if (visible.has(sighting.version)) return [];
      const stored = [...visible].map(titleOf).join(' or ');
      return [`a get of ${sighting.name} found ${titleOf(sighting.version)} where ${stored} was stored`];
    }
    case 'written':
      if (model.wasWritten(sighting.name, sighting.version, from, to)) return [];
      return [`a write of ${sighting.name} succeeded, and ${titleOf(sighting.version)} never came to be`];
    case 'listed': {
      const listed = new Set(sighting.names);
      const surplus = sighting.names.filter((name) => {
        const visible = model.visible(name, from, to);
        return visible.size === 1 && visible.has(ABSENT);
      });
      const lacking = model.storedThroughout(sighting.prefix, from, to).filter((name) => !listed.has(name));
      return [
        ...surplus.map((name) => `a list of ${sighting.prefix} gave ${name}, which was not stored`),
        ...lacking.map((name) => `a list of ${sighting.prefix} lacks ${name}, which was stored all the time`),
      ];
    }
  }
}

function titleOf(version: Version): string {
  return version === ABSENT ? 'nothing' : `version ${version}`;
}
