/** The value of a document of JSON; `undefined` if it is none. */
export function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}

/** A field of a parsed document, which may be anything. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** A list in a parsed document; empty if it is none. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text in a parsed document; `undefined` if it is none. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
