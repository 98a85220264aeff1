import type { NegotiableFormat } from '@imgproxy-cache/core';
import { type ImageRequest, UrlError } from '@imgproxy-cache/url';
import type { ResizeOptions, ResizingType } from './resize-geometry.js';

/** The processing options that this server understands, with imgproxy's defaults. */
export interface RenderOptions extends ResizeOptions {
  /** Six hex digits. Absent: transparency stays where the format has it. */
  readonly background: string | undefined;
  /** 1 to 100. Absent: the format's default. */
  readonly quality: number | undefined;
  /** Absent: that of the source. */
  readonly format: string | undefined;
  /** Formats that the client may be given instead, the best first. */
  readonly negotiated: readonly NegotiableFormat[];
}

const SUPPORTED = new Set([
  ...['resizing_type', 'width', 'height', 'dpr', 'enlarge', 'background', 'quality', 'format'],
  // Of no effect on the image: these belong to its identity and to the answer's lifetime.
  ...['cachebuster', 'expires'],
]);

/** @throws UrlError for an option that is read and not supported here */
export function readRenderOptions(
  { options, format }: ImageRequest,
  negotiated: readonly NegotiableFormat[] = [],
): RenderOptions {
  const unsupported = options.find(([name]) => !SUPPORTED.has(name));
  if (unsupported !== undefined)
    throw UrlError.unsupported(`Processing option ${unsupported[0]} is not supported here`);
  const values = new Map(options);
  return {
    resizingType: (values.get('resizing_type') ?? 'fit') as ResizingType,
    width: Number(values.get('width') ?? 0),
    height: Number(values.get('height') ?? 0),
    dpr: Number(values.get('dpr') ?? 1),
    enlarge: values.get('enlarge') === 'true',
    background: values.get('background'),
    quality: Number(values.get('quality') ?? 0) || undefined,
    format,
    negotiated,
  };
}
