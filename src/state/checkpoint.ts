/**
 * A checkpoint's manifest, as data: everything that a restart needs to know, in one JSON file that exists whole or not at all.
 *
 * State is named by files: a *chain* a worker, oldest file first, each holding what changed since the one before.
 */

/** As in connectors/contract/sink.ts: state knows no connectors, but keeps what they return. */
export interface CheckpointId {
  readonly incarnation: number
  readonly counter: number
}
export interface SplitPosition {
  readonly readTo: string
  readonly reflectedTo?: string
  readonly openUntilUs?: string
  readonly watermarkUs?: string
}
/** By source: which thing of its name it read. */
export type SourceIdentities = Readonly<Record<string, string>>
export type SourcePositions = Readonly<Record<string, Readonly<Record<string, SplitPosition>>>>

/** A committable and the checkpoint that prepared it. */
export interface PendingCommittable {
  readonly checkpoint: CheckpointId
  readonly committable: string
}

export interface StateChain {
  /** Key groups of its worker: [groupStart, groupEnd). */
  readonly groupStart: number
  readonly groupEnd: number
  readonly files: readonly StateFile[]
}

export interface StateFile {
  /** Within the store's `state` folder. */
  readonly name: string
  readonly bytes: number
}

export interface OperatorIdentity {
  /** Stable: from what the operator does and where it stands, or a given name. */
  readonly id: string
  /** What it does, for messages. */
  readonly name: string
  /** Columns of rows that it keeps whole. Absent where it keeps none, and in manifests of earlier versions. */
  readonly columns?: readonly string[]
}

/** As in engine/lateness.ts. */
export interface LatenessCounts {
  readonly delayUs: number
  readonly windowUs: number
  readonly events: number
  readonly lost: number
  readonly needs: readonly number[]
}

/** What was measured of how late events are, up to a checkpoint. */
export interface KeptLateness {
  /** By source and split. */
  readonly splits: Readonly<Record<string, Readonly<Record<string, LatenessCounts>>>>
  /** By source; as in engine/lateness-watch.ts. */
  readonly watches: Readonly<Record<string, KeptWatch>>
}

export interface KeptWatch {
  readonly start: LatenessCounts
  readonly middle: LatenessCounts
  readonly slices: readonly { readonly events: number; readonly lost: number }[]
  readonly first?: { readonly share: number; readonly low: number }
  readonly isDrifting: boolean
}

export interface Manifest {
  readonly format: 1
  readonly pipeline: string
  readonly checkpoint: CheckpointId
  readonly planFingerprint: string
  readonly operators: readonly OperatorIdentity[]
  readonly positions: SourcePositions
  /** Absent in manifests of earlier versions. */
  readonly identities?: SourceIdentities
  /** Absent in manifests of earlier versions. */
  readonly lateness?: KeptLateness
  /** Per sink, gathered over checkpoints until they are committed. */
  readonly committables: Readonly<Record<string, readonly PendingCommittable[]>>
  /** Per sink, the last checkpoint that was known to be visible. Absent in manifests of earlier versions. */
  readonly committed?: Readonly<Record<string, CheckpointId>>
  readonly chains: readonly StateChain[]
  /** True when all sources had ended: nothing is left to do. */
  readonly ended: boolean
  readonly writtenAtMs: number
}

/** How far sinks have got, when a manifest is written. */
export interface CommitProgress {
  readonly committables: Manifest['committables']
  readonly committed: NonNullable<Manifest['committed']>
}

/** What the engine gathers at a barrier; the store adds state files and what is still to be committed. */
export interface CheckpointContents {
  readonly checkpoint: CheckpointId
  readonly planFingerprint: string
  readonly operators: readonly OperatorIdentity[]
  readonly positions: SourcePositions
  readonly identities?: SourceIdentities
  readonly lateness?: KeptLateness
  /** Per sink, what it prepared for this checkpoint. */
  readonly prepared: Readonly<Record<string, readonly string[]>>
  /** One a worker, in the order of their key groups. */
  readonly snapshots: readonly WorkerSnapshot[]
  readonly ended: boolean
}

/** The changed state of one worker, encoded within the barrier, not yet in a file. */
export interface WorkerSnapshot {
  readonly groupStart: number
  readonly groupEnd: number
  /** The state file's bytes, in pieces. */
  readonly pieces: readonly Uint8Array[]
}
