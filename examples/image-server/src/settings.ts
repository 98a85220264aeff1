import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NEGOTIATION_TABLE, type NegotiationSettings, readConfig } from '@imgproxy-cache/core';
import { unsupportedVariables } from './unsupported-variables.js';

/** The server's own part of imgproxy's variables. `IMGPROXY_CACHE_*` and those of URLs are read by their packages. */
export interface Settings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** imgproxy's variables that are set and change nothing here. */
  readonly ignoredVariables: readonly string[];
  /** The folder that `local:///` stands for. */
  readonly sourceRoot: string;
  /** How long clients may keep an image, in seconds. */
  readonly ttlSeconds: number;
  /** Which formats clients may be given for their `Accept` header. */
  readonly negotiation: NegotiationSettings;
}

/** Lists every fault of the variables at once. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(faults: readonly string[]) {
    super(`the configuration of the server is wrong:${faults.map((fault) => `\n- ${fault}`).join('')}`);
  }
}

const SAMPLES = fileURLToPath(new URL('../samples', import.meta.url));
const BIND = /^(?:\[(?<ipv6>[^\]]*)\]|(?<host>[^:]*)):(?<port>\d+)$/;

/** @throws SettingsError */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const bind = env['IMGPROXY_BIND'] || ':8080';
  const sourceRoot = env['IMGPROXY_LOCAL_FILESYSTEM_ROOT'] || SAMPLES;
  const ttl = env['IMGPROXY_TTL'] || '31536000';
  const unsupported = unsupportedVariables(env);

  const faults = unsupported.security.map(
    (name) => `${name} is set and not supported here, and no security setting is ignored: unset it`,
  );
  const { ipv6, host = '', port = '' } = BIND.exec(bind)?.groups ?? {};
  if (port === '' || Number(port) > 65_535)
    faults.push(`IMGPROXY_BIND is ${JSON.stringify(bind)}, allowed is host:port, such as :8080`);
  if (!statSync(sourceRoot, { throwIfNoEntry: false })?.isDirectory())
    faults.push(`IMGPROXY_LOCAL_FILESYSTEM_ROOT is ${JSON.stringify(sourceRoot)}, which is not a folder`);
  if (!/^\d{1,9}$/.test(ttl))
    faults.push(`IMGPROXY_TTL is ${JSON.stringify(ttl)}, allowed is a number of seconds up to 999999999`);
  const { values: negotiation, faults: negotiationFaults } = readConfig(NEGOTIATION_TABLE, env);
  faults.push(...negotiationFaults.map(({ variable, message }) => `${variable} ${message}`));
  for (const property of ['autoJxl', 'enforceJxl'] as const)
    if (negotiation[property])
      faults.push(`${NEGOTIATION_TABLE[property].variable} is true: this server cannot write JPEG XL`);
  if (faults.length > 0) throw new SettingsError(faults);

  return {
    host: ipv6 ?? (host || '::'),
    port: Number(port),
    ignoredVariables: unsupported.others,
    sourceRoot,
    ttlSeconds: Number(ttl),
    negotiation,
  };
}
