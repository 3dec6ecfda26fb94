/** What the main thread and a worker's thread tell each other: structured clones, one answer to every request. */
import type { MessagePort } from 'node:worker_threads'
import type { CheckpointId, SourcePositions } from '../connectors/contract/sink.ts'
import type { SpillProgress, WindowProgress } from '../engine/operator.ts'
import type { SplitFacts } from '../engine/source-split.ts'
import type { ErrorCode, Facts } from '../errors.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import type { PortsRecipe } from '../ports/ports.ts'
import type {
  KeptLateness,
  SourceIdentities,
  StateChain,
  WorkerSnapshot,
} from '../state/checkpoint.ts'
import type { WaitingRows } from './side-rows.ts'

/** What a thread is given to become a worker: what it begins with, and its own channel to the main thread. */
export interface WorkerBirth {
  readonly setup: WorkerSetup
  readonly port: MessagePort
  /** By sink: its own channels to whoever commits. */
  readonly lines: readonly (MessagePort | undefined)[]
}

export interface WorkerSetup {
  readonly worker: number
  readonly workers: number
  readonly pipeline: Pipeline
  readonly dataDirectory: string
  readonly baseDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What its outside is made from. */
  readonly outside: PortsRecipe
  readonly until: 'now' | 'end' | undefined
  readonly positions: SourcePositions
  readonly identities: SourceIdentities
  readonly lateness: KeptLateness['splits']
  readonly watermarks: ReadonlyMap<string, bigint>
  /** Of the restored checkpoint. */
  readonly chains: readonly StateChain[]
  readonly stateDirectory: string
  /** By `ringKey`. */
  readonly rings: ReadonlyMap<number, SharedArrayBuffer>
  readonly bells: SharedArrayBuffer
}

export type WorkerRequest =
  | { readonly kind: 'start' | 'align' | 'resume' | 'close' }
  | { readonly kind: 'prepare'; readonly sink: number; readonly checkpoint: CheckpointId }
  | { readonly kind: 'acknowledge'; readonly positions: SourcePositions }

export type WorkerAnswer =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'status'; readonly status: WorkerStatus }
  | { readonly kind: 'failed'; readonly failure: WorkerFailure }

export interface WorkerStatus {
  /** By source, in the graph's order. */
  readonly sources: readonly {
    readonly name: string
    readonly identity: string | undefined
    readonly splits: readonly SplitFacts[]
    readonly watermarkUs: bigint
  }[]
  /** By operator. */
  readonly operators: readonly {
    readonly name: string
    readonly progress: WindowProgress | undefined
    readonly spilled: SpillProgress | undefined
  }[]
  /** By sink. */
  readonly rowsWritten: readonly number[]
  readonly rowsUsed: number
  readonly late: number
  readonly dead: number
  readonly madeDead: number
  readonly side: ReadonlyMap<string, WaitingRows>
  readonly ended: boolean
  readonly done: boolean
}

/** The answer to 'align'. */
export interface WorkerCut {
  readonly status: WorkerStatus
  readonly snapshot: WorkerSnapshot
}

export interface WorkerFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
  readonly facts: Facts
}

export function ringKey(workers: number, route: number, from: number, to: number): number {
  return (route * workers + from) * workers + to
}
