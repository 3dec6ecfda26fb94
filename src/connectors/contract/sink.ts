/**
 * How results go out. Written by many writers (one a worker), *prepared* at each checkpoint, committed by one committer
 * after the checkpoint's manifest is durable. Commit is idempotent under (pipeline, checkpoint).
 */
import type { MessagePort } from 'node:worker_threads'
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Position } from './source.ts'

/** Which row kinds a sink takes: 'append' +I only; 'upsert' +I +U -D by primary key; 'retract' all four. */
export type ChangelogMode = 'append' | 'upsert' | 'retract'

export interface Sink {
  readonly guarantee: 'exactly-once' | 'at-least-once'
  /**
   * Checks the outside table against the schema and opens it. Called once per run, before any row.
   * `isWritten`: the pipeline has committed to it, or prepared rows for it. A table that is gone is then not made again.
   * @throws COMMIT_REFUSED if it is gone
   */
  prepareTable(known: { readonly isWritten: boolean }): Promise<void>
  /** One a worker. `line`: the other end of what `attach` is given, for a writer in a thread of its own. */
  openWriter(worker: number, memory: LinearMemory, line?: MessagePort): Promise<SinkWriter>
  openCommitter(): Promise<SinkCommitter>
  /**
   * Only of sinks of which all workers must write by one way, such as one transaction: in the thread that commits, with a committer open,
   * once for each writer in another thread, which is given the other end.
   */
  attach?(line: MessagePort): void
}

export interface SinkWriter {
  /** Takes the batch: whatever it keeps it copies before returning. Rows become visible at commit (or at once, if the sink is at-least-once and says so). */
  write(batch: Batch): void
  /** True when `write` should wait for `drain`: its buffers are full. */
  readonly full: boolean
  drain(): Promise<void>
  /** All rows written so far are durable, not visible; what commit needs is returned. Undefined: nothing to commit. */
  prepare(checkpoint: CheckpointId): Promise<Committable | undefined>
  close(): Promise<void>
}

/** JSON, small: it is kept in the checkpoint's manifest. */
export type Committable = string

export interface CheckpointId {
  /** Counts the times this pipeline has been started; never repeats. */
  readonly incarnation: number
  readonly counter: number
}

/** True if `left` is the later of two checkpoints of one pipeline. */
export function isAfter(left: CheckpointId, right: CheckpointId): boolean {
  if (left.incarnation !== right.incarnation) return left.incarnation > right.incarnation
  return left.counter > right.counter
}

/** What one commit makes visible: the committables of one or more checkpoints, gathered, and the positions they reach. */
export interface CommitRequest {
  readonly pipeline: string
  readonly checkpoint: CheckpointId
  readonly committables: readonly Committable[]
  readonly positions: SourcePositions
}

/** Per source table and split. */
export type SourcePositions = Readonly<Record<string, Readonly<Record<string, SplitPosition>>>>

export interface SplitPosition {
  readonly readTo: Position
  /** Before it every row is in committed results; rows from it on may wait in open windows. '': the split's beginning; absent: `readTo`. */
  readonly reflectedTo?: Position
  /** µs: the greatest event time of rows from there on; with `reflectedTo` only. */
  readonly openUntilUs?: string
  /** µs; absent while there is none. */
  readonly watermarkUs?: string
}

export type CommitOutcome =
  | {
      readonly kind: 'committed' /** True when an earlier attempt had done it. */
      readonly already: boolean
      readonly detail?: string
    }
  /** Commit can't succeed without a person: the pipeline enters a named stopped state that keeps the committable. */
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string }
  | { readonly kind: 'retry'; readonly reason: string }
  /** Nothing of it is visible, nor ever will be: the run goes back to the checkpoint before. Only from a committer that is `first`. */
  | { readonly kind: 'lost'; readonly reason: string }

export interface SinkCommitter {
  /** Commits before all others, because what it has prepared can be lost; at most one kind of sink of a pipeline. */
  readonly first?: boolean
  /** What all writers wrote together, where that is one thing: asked when each of them has prepared. Undefined: nothing to commit. */
  prepare?(checkpoint: CheckpointId): Promise<Committable | undefined>
  commit(request: CommitRequest): Promise<CommitOutcome>
  /** The last checkpoint of `pipeline` that is visible in the sink; undefined if none. Restoring behind it is refused. */
  lastCommitted(pipeline: string): Promise<CheckpointId | undefined>
  close(): Promise<void>
}

export interface SinkRequest {
  readonly table: string
  readonly pipeline: string
  readonly options: Readonly<Record<string, string>>
  readonly schema: Schema
  readonly primaryKey: readonly string[]
  readonly partitionedBy: readonly string[]
  readonly mode: ChangelogMode
  /** Per column, the connector's name of a written metadata column. */
  readonly metadataKeys: readonly (string | undefined)[]
  readonly ports: Ports
  readonly baseDirectory: string
  readonly dataDirectory: string
}
