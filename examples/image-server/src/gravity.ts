import { HttpError } from '@imgproxy-cache/http';
import type { Size } from './resize-geometry.js';

/** Which part of a larger area a smaller one takes, or where it stands in it. */
export interface Gravity {
  /** Shares of the space that is left: 0 is left or top, 1 right or bottom. */
  readonly x: number;
  readonly y: number;
  /** Added to that, in pixels, or as a share of the larger side if below 1. */
  readonly xOffset: number;
  readonly yOffset: number;
  /** Whether x and y are a point of the larger area that the smaller one has in its middle. */
  readonly isFocusPoint: boolean;
}

export interface Place {
  readonly left: number;
  readonly top: number;
}

/** Towards the middle, offsets lead right and down; at an edge, away from it. */
const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ce: [0.5, 0.5],
  no: [0.5, 0],
  ea: [1, 0.5],
  so: [0.5, 1],
  we: [0, 0.5],
  nowe: [0, 0],
  noea: [1, 0],
  sowe: [0, 1],
  soea: [1, 1],
};
const CENTRE: Gravity = { x: 0.5, y: 0.5, xOffset: 0, yOffset: 0, isFocusPoint: false };

/**
 * @param prefix of the names of the options
 * @throws HttpError for the gravity that needs to know what a picture shows
 */
export function readGravity(
  values: ReadonlyMap<string, string>,
  prefix: string,
  unset: Gravity = CENTRE,
): Gravity {
  const type = values.get(`${prefix}.type`);
  if (type === undefined) return unset;
  const [xOffset, yOffset] = ['x', 'y'].map((axis) => Number(values.get(`${prefix}.${axis}_offset`) ?? 0));
  if (type === 'fp') {
    return { x: xOffset ?? 0, y: yOffset ?? 0, xOffset: 0, yOffset: 0, isFocusPoint: true };
  }
  const direction = DIRECTIONS[type];
  if (direction === undefined) throw new HttpError(422, `Gravity ${type} is not supported here`);
  const [x, y] = direction;
  return { x, y, xOffset: xOffset ?? 0, yOffset: yOffset ?? 0, isFocusPoint: false };
}

/** Where the smaller area lies in the larger one, in whole pixels and never outside of it. */
export function placeWithin(larger: Size, smaller: Size, gravity: Gravity): Place {
  return {
    left: along(larger.width, smaller.width, gravity.x, gravity.xOffset, gravity.isFocusPoint),
    top: along(larger.height, smaller.height, gravity.y, gravity.yOffset, gravity.isFocusPoint),
  };
}

function along(
  larger: number,
  smaller: number,
  share: number,
  offset: number,
  isFocusPoint: boolean,
): number {
  const space = larger - smaller;
  if (isFocusPoint) return within(Math.round(larger * share - smaller / 2), space);
  const pixels = Math.abs(offset) < 1 ? offset * larger : offset;
  return within(Math.floor(space * share + (share === 1 ? -pixels : pixels)), space);
}

function within(position: number, space: number): number {
  return Math.min(Math.max(position, 0), space);
}
