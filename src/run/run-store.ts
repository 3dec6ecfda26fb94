/** A run's view of its checkpoints: what it was restored from, and the state of its operators going in and out. */
import { createHash } from 'node:crypto'
import { isAbsolute, join, resolve } from 'node:path'
import type { CheckpointId } from '../connectors/contract/sink.ts'
import { forgetPins, savePins } from '../connectors/log/moving-pin.ts'
import { groupsOf } from '../engine/exchange.ts'
import { MillraceError } from '../errors.ts'
import { columnsDiffer, keptColumns } from '../plan/kept-columns.ts'
import type { Files } from '../ports/files.ts'
import type { Manifest, StateChain, WorkerSnapshot } from '../state/checkpoint.ts'
import { type CheckpointStore, openCheckpointStore } from '../state/checkpoint-store.ts'
import { KEY_GROUPS } from '../state/keyed-table.ts'
import { type GroupRange, openSnapshot, type SnapshotReader } from '../state/snapshot-reader.ts'
import type { Assembly } from './assembly.ts'
import type { CheckpointTarget } from './checkpointing.ts'
import type { PipelineStart } from './handle.ts'
import { clearSpills, refuseWaiting } from './spilling.ts'
import type { Crew } from './workers.ts'
import { type DataflowView, watermarksOf } from './workers-merged.ts'

export interface RunStore extends CheckpointTarget {
  readonly incarnation: number
  readonly planFingerprint: string
  readonly restored: Manifest | undefined
  readonly stateDirectory: string
  /** By node id, where watermarks stood. */
  watermarks(): ReadonlyMap<string, bigint>
  /** Gives every operator its state. @throws CHECKPOINT_MISMATCH if state belongs to an operator that is gone */
  restore(crew: Crew): void
  copyTo(path: string): Promise<CheckpointId>
}

/** What the engine itself keeps: where each node's watermark stood. */
const ENGINE = 'engine'
const WATERMARKS = 'watermarks'
const ALL_GROUPS = { groupStart: 0, groupEnd: KEY_GROUPS }

export function checkpointDirectory({
  dataDirectory,
  pipeline,
}: Pick<PipelineStart, 'dataDirectory' | 'pipeline'>): string {
  return join(dataDirectory, 'pipelines', encodeURIComponent(pipeline.name))
}

export async function openStore(start: PipelineStart, isFirst: boolean): Promise<RunStore> {
  const { ports, pipeline, dataDirectory, fromSavepoint } = start
  const directory = checkpointDirectory(start)
  const store = await openCheckpointStore({
    ports,
    directory,
    pipeline: pipeline.name,
    fresh: isFirst && start.fresh === true,
    ...(fromSavepoint === undefined || !isFirst
      ? {}
      : { savepoint: absolute(start, fromSavepoint) }),
  })
  clearSpills(ports.files, start)
  // What is forgotten keeps no rows any more.
  if (isFirst && start.fresh === true) forgetPins(ports, dataDirectory, pipeline.name)
  const restored = store.latest
  const reader =
    restored === undefined
      ? undefined
      : openSnapshot(ports.files, store.stateDirectory, restored.chains, ALL_GROUPS)
  return runStore(
    start,
    store,
    restored,
    reader,
    createHash('sha256').update(JSON.stringify(pipeline)).digest('hex'),
  )
}

function absolute({ baseDirectory }: PipelineStart, path: string): string {
  return isAbsolute(path) ? path : resolve(baseDirectory, path)
}

function runStore(
  { ports, pipeline, dataDirectory }: PipelineStart,
  store: CheckpointStore,
  restored: Manifest | undefined,
  reader: SnapshotReader | undefined,
  planFingerprint: string,
): RunStore {
  const { files } = ports
  return {
    incarnation: store.incarnation,
    planFingerprint,
    restored,
    watermarks: () => readWatermarks(reader),
    restore({ workers, dataflow }) {
      if (reader === undefined || restored === undefined) return
      const known = new Set([ENGINE, ...dataflow.operators.map(({ node }) => node.id)])
      const gone = reader.operators().filter((id) => !known.has(id))
      if (gone.length > 0) throw operatorsGone(restored, gone)
      refuseOtherColumns(restored, dataflow)
      for (const [worker, each] of workers.entries()) {
        const groups = groupsOf(worker, workers.length)
        restoreWorker(files, store.stateDirectory, restored.chains, each, groups)
      }
    },
    stateDirectory: store.stateDirectory,
    snapshots({ workers, dataflow, snapshots }) {
      // From its end a pipeline never goes on: it needs no state any more.
      if (dataflow.ended()) return []
      return (
        snapshots?.() ??
        workers.map((each, worker) => snapshotOf(each, groupsOf(worker, workers.length)))
      )
    },
    async write(contents, progress) {
      const { chains } = await store.write(contents, progress)
      return chains.reduce((sum, { files }) => sum + (files.at(-1)?.bytes ?? 0), 0)
    },
    settle: (progress) => store.settle(progress),
    confirm: (checkpoint) => store.confirm(checkpoint),
    async copyTo(path) {
      // First, so that retention never meets a savepoint without them.
      if (store.latest !== undefined) await savePins(ports, dataDirectory, pipeline.name, path)
      return store.copyTo(path)
    },
  }
}

/** Gives a worker's operators the state of its key groups. */
export function restoreWorker(
  files: Files,
  stateDirectory: string,
  chains: readonly StateChain[],
  { dataflow }: Assembly,
  groups: GroupRange,
): void {
  if (chains.length === 0) return
  const reader = openSnapshot(files, stateDirectory, chains, groups)
  for (const { node, operator } of dataflow.operators) {
    const own = reader.operator(node.id)
    refuseWaiting(own, operator)
    operator.restore(own)
  }
}

export function snapshotOf(
  assembly: Assembly,
  { groupStart, groupEnd }: GroupRange,
): WorkerSnapshot {
  const writer = assembly.stateWriter
  writer.operator(ENGINE).table(WATERMARKS, (sink) => {
    sink.replace()
    const text = JSON.stringify([...watermarksOf(assembly)].map(([id, us]) => [id, `${us}`]))
    // In every key group, so that none finds nothing, however many workers there will be.
    for (let group = groupStart; group < groupEnd; group++) {
      sink.put(group, new Uint8Array(), new TextEncoder().encode(text))
    }
  })
  for (const { node, operator } of assembly.dataflow.operators) {
    operator.snapshot(writer.operator(node.id))
  }
  return writer.finish(groupStart, groupEnd)
}

function readWatermarks(reader: SnapshotReader | undefined): ReadonlyMap<string, bigint> {
  const found = new Map<string, bigint>()
  reader?.operator(ENGINE).table(WATERMARKS, (_group, _key, value) => {
    const entries: [string, string][] = JSON.parse(new TextDecoder().decode(value))
    for (const [id, text] of entries) {
      const us = BigInt(text)
      // Workers that stood apart go on from the least: what some had not yet fired is fired.
      if (us < (found.get(id) ?? us + 1n)) found.set(id, us)
    }
  })
  return found
}

/** Rows of other columns may lie in the same cells: they are told apart by what the manifest says of them. */
function refuseOtherColumns({ pipeline, operators }: Manifest, dataflow: DataflowView): void {
  const kept = new Map(operators.map((each) => [each.id, each]))
  for (const { node, operator } of dataflow.operators) {
    const before = kept.get(node.id)?.columns
    const after = node.kind === 'operator' ? keptColumns(node.plan) : undefined
    const differences = before && after ? columnsDiffer(before, after) : []
    if (differences.length === 0) continue
    throw new MillraceError('CHECKPOINT_MISMATCH', {
      message: `the checkpoint of pipeline '${pipeline}' holds other rows of ${operator.name} than it keeps now: ${differences.join(', ')}`,
      hint: 'undo the change of the query, start anew with --fresh, or give the new query another pipeline.name',
      facts: { pipeline, operator: node.id },
    })
  }
}

function operatorsGone(restored: Manifest | undefined, gone: readonly string[]): MillraceError {
  const names = gone.map((id) => restored?.operators.find((each) => each.id === id)?.name ?? id)
  return new MillraceError('CHECKPOINT_MISMATCH', {
    message: `the checkpoint of pipeline '${restored?.pipeline}' holds state of ${names.join(', ')}, which the pipeline no longer has`,
    hint: 'undo the change of the query, start anew with --fresh, or give the new query another pipeline.name',
    facts: { pipeline: restored?.pipeline, operators: gone.join(', ') },
  })
}
