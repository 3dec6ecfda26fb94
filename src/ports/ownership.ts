/**
 * Who may write a data directory: one process, known by a bound local socket and an epoch, never by a process id.
 *
 * Whoever writes there (checkpoints, the log) holds an `Ownership` and asks it before making anything durable:
 * a process that was taken for dead, but only slept, finds that its epoch has passed and writes no more.
 */
export interface Ownership extends Epoch {
  /** Stops listening; the epoch stays taken. Idempotent. */
  release(): Promise<void>
}

/** A time of one owner, as any of its threads may ask for it. */
export interface Epoch {
  /** 1 for the first owner of the directory; each later owner's is one higher. */
  readonly epoch: number
  /** @throws OWNER_FENCED once another process has become the owner */
  assertCurrent(): void
}

/** What an owner leaves in the directory for others to find it. */
export interface OwnerRecord {
  readonly epoch: number
  /** The name of the socket it listens on. */
  readonly socket: string
  /** For messages only: in containers every owner may be process 1. */
  readonly processId: number
  readonly startedMs: number
}
