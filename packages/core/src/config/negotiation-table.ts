import type { ConfigTable, ConfigVariable } from '../driver/index.js';

const auto = (variable: string, format: string): ConfigVariable & { readonly type: 'boolean' } => ({
  variable,
  type: 'boolean',
  default: false,
  doc: `Whether clients that accept ${format} get it where no format is asked for.`,
});

const enforce = (variable: string, format: string): ConfigVariable & { readonly type: 'boolean' } => ({
  variable,
  type: 'boolean',
  default: false,
  doc: `Whether clients that accept ${format} get it, whatever format is asked for.`,
});

/**
 * imgproxy's variables of format negotiation. They belong to the renderer and so to the host, which reads them with
 * `readConfig(NEGOTIATION_TABLE, env)`, passes the values to `negotiate()`, and reports the faults.
 */
export const NEGOTIATION_TABLE = {
  autoWebp: auto('IMGPROXY_AUTO_WEBP', 'WebP'),
  autoAvif: auto('IMGPROXY_AUTO_AVIF', 'AVIF'),
  autoJxl: auto('IMGPROXY_AUTO_JXL', 'JPEG XL'),
  enforceWebp: enforce('IMGPROXY_ENFORCE_WEBP', 'WebP'),
  enforceAvif: enforce('IMGPROXY_ENFORCE_AVIF', 'AVIF'),
  enforceJxl: enforce('IMGPROXY_ENFORCE_JXL', 'JPEG XL'),
} as const satisfies ConfigTable;
