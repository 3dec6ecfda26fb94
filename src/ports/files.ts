/**
 * Local files. Reads and writes are synchronous (the page cache answers; the hot path must not wait on a promise);
 * what waits for the disk is a promise.
 *
 * Nothing is durable before its sync: a file's bytes after `sync()`, a name after `syncDirectory(parent)`.
 * Errors are Node's, with `code` ('ENOENT', 'ENOSPC', 'EROFS', ...); callers turn them into MillraceErrors.
 */
export interface Files {
  /** 'read': must exist. 'write': created if missing, kept if not. 'create': must not exist (exclusive). */
  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle
  exists(path: string): boolean
  /** Names in a directory, sorted; ENOENT if it is missing. */
  list(path: string): string[]
  makeDirectory(path: string): void
  rename(from: string, to: string): void
  /** A hard link; EEXIST if `to` exists: the atomic "create with content". */
  link(from: string, to: string): void
  remove(path: string): void
  /** Undefined if missing. */
  stat(path: string): FileStat | undefined
  syncDirectory(path: string): Promise<void>
}

export interface FileStat {
  readonly bytes: number
  readonly modifiedMs: number
  readonly isDirectory: boolean
}

export interface FileHandle {
  /** Fills as much of `into` as the file has from `position`; returns the bytes read. `into` may be a view of shared memory. */
  read(into: Uint8Array, position: number): number
  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): void
  truncate(bytes: number): void
  bytes(): number
  /** fdatasync: resolves when all written bytes are on the disk. A failure means they may be lost for good: never retry it. */
  sync(): Promise<void>
  close(): void
}
