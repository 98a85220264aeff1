/** Of some values the one that this share of them does not exceed; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * The 99th percentile of a sample that is no slower than another one, as far as chance allows: the other one's, and
 * once more by how much it lies above its median. That is what a busy machine adds to both.
 */
export function slowestOfEqual(values: readonly number[]): number {
  const high = quantile(values, 0.99);
  return high + (high - median(values));
}
