declare module 'imgproxy-cache-driver-foo' {
  const foo: import('@imgproxy-cache/core/driver').CacheDriverDefinition;
  export default foo;
}

declare module '*/foo-server.js' {
  export function startFoo(): Promise<{
    readonly url: string;
    read(name: string): Promise<Buffer>;
    write(name: string, bytes: string | Uint8Array): Promise<void>;
    refuseConnections(): Promise<void>;
    fallSilent(): Promise<() => void>;
    stop(): Promise<void>;
  }>;
}
