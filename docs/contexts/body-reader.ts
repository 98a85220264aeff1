declare function use(chunk: Uint8Array): void;
