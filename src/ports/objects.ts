/**
 * An object store: what a lakehouse table lives in. Keys are '/'-separated, relative to the store's root.
 * The local one is files below a directory; S3 and others implement the same.
 */
export interface ObjectStore {
  /** For messages and for other readers: 'file:///lake/t', 's3://bucket/t'. */
  readonly url: string
  get(key: string): Promise<Uint8Array | undefined>
  /** `length` bytes from `start` (negative: from the end). Undefined if the object is missing. */
  getRange(key: string, start: number, length: number): Promise<Uint8Array | undefined>
  head(key: string): Promise<ObjectStat | undefined>
  /**
   * Durable when it resolves. With `ifAbsent` exactly one of several writers gets 'created';
   * 'ambiguous' means that the answer was lost: read back before acting.
   */
  put(
    key: string,
    bytes: Uint8Array,
    options?: { readonly ifAbsent?: boolean },
  ): Promise<'created' | 'exists' | 'ambiguous'>
  /** Below `prefix`, in order of key, `after` exclusive. */
  list(prefix: string, options?: { readonly after?: string }): AsyncIterable<ObjectStat>
  /** Missing is no error. */
  remove(key: string): Promise<void>
  /** Multi-part for large data files: parts in order, durable and visible at `finish`, nothing left after `abort`. */
  writer(key: string): Promise<ObjectWriter>
}

export interface ObjectStat {
  readonly key: string
  readonly bytes: number
  readonly modifiedMs: number
}

export interface ObjectWriter {
  write(bytes: Uint8Array): void
  finish(): Promise<void>
  abort(): Promise<void>
}
