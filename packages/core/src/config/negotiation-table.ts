import type { ConfigTable, ConfigVariable } from '../driver/index.js';

const auto = (variable: string, format: string): ConfigVariable & { readonly type: 'boolean' } => ({
  variable,
  type: 'boolean',
  default: false,
  doc: `Whether clients that accept ${format} get it if the URL requests no format.`,
});

const enforce = (variable: string, format: string): ConfigVariable & { readonly type: 'boolean' } => ({
  variable,
  type: 'boolean',
  default: false,
  doc: `Whether clients that accept ${format} get it, even if the URL requests another format.`,
});

/**
 * imgproxy's variables of format negotiation. They configure the renderer, so the host reads them with
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
