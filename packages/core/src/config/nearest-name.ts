/** A candidate and its edit distance. */
export interface NearName {
  readonly name: string;
  readonly distance: number;
}

/** The candidate with the smallest edit distance to a name. */
export function nearestName(name: string, candidates: Iterable<string>): NearName | undefined {
  let nearest: NearName | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    if (nearest === undefined || distance < nearest.distance) nearest = { name: candidate, distance };
  }
  return nearest;
}

/** The Levenshtein distance: how many letters to insert, delete or replace. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...left].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...right].entries()) {
      const [diagonal = 0, above = 0] = previous.slice(column, column + 2);
      const before = current[column] ?? 0;
      current.push(Math.min(above + 1, before + 1, diagonal + (letter === other ? 0 : 1)));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
