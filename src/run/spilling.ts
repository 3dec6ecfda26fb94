/** State that need not fit into memory: where its files are, and which operators have it. */
import { join } from 'node:path'
import type { OperatorContext } from '../engine/evaluation.ts'
import type { Graph, OperatorGraphNode } from '../engine/graph.ts'
import type { Operator } from '../engine/operator.ts'
import { type OperatorPlace, operatorOf } from '../engine/operators/operators.ts'
import { DEFERRED_TABLE } from '../engine/spill/deferred-table.ts'
import { spillable } from '../engine/spill/spillable.ts'
import { spillingOperator } from '../engine/spill/spilling-operator.ts'
import { stateMemory } from '../engine/spill/state-memory.ts'
import { MillraceError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Files } from '../ports/files.ts'
import { spillFile } from '../state/spill-file.ts'
import type { StateReader } from '../state/state-stream.ts'
import type { PipelineStart } from './handle.ts'
import type { TableOpening } from './open-tables.ts'
import type { Settings } from './settings.ts'

export interface SpillingRequest {
  readonly graph: Graph
  readonly settings: Settings
  readonly clock: Clock
  readonly opening: Pick<TableOpening, 'ports' | 'dataDirectory'>
  readonly pipeline: string
  readonly worker: number
}

/** The operator of a node whose state may leave memory; undefined where there is none, or no bound to keep. */
export function spilling({
  graph,
  settings,
  clock,
  opening,
  pipeline,
  worker,
}: SpillingRequest): (
  node: OperatorGraphNode,
  context: OperatorContext,
  place: OperatorPlace,
) => Operator | undefined {
  const { stateMemoryBytes, stateDelayMs } = settings
  if (stateMemoryBytes === undefined) return () => undefined
  const pool = stateMemory(stateMemoryBytes)
  const { ports, dataDirectory } = opening
  return (node, context, place) => {
    const how = spillable(graph, node)
    if (how?.kind !== 'spills') return undefined
    const unique = Math.floor(ports.random.next() * 2 ** 32).toString(36)
    const name = `${worker}-${node.index}-${unique}.spill`
    return spillingOperator({
      ...how,
      context,
      clock,
      file: spillFile(ports.files, join(directoryOf(dataDirectory, pipeline), name)),
      pool,
      delayMs: stateDelayMs,
      watermarkUs: place.watermarkUs,
      make: (watermarkUs) => operatorOf(node, context, { ...place, watermarkUs }),
      faultPoint: (point) => ports.faultPoint(point),
    })
  }
}

/** Files that a crash has left: checkpoints have all that was in them. */
export function clearSpills(
  files: Files,
  { dataDirectory, pipeline }: Pick<PipelineStart, 'dataDirectory' | 'pipeline'>,
): void {
  const directory = directoryOf(dataDirectory, pipeline.name)
  if (!files.exists(directory)) return
  for (const name of files.list(directory)) files.remove(join(directory, name))
}

/** @throws CHECKPOINT_MISMATCH if rows wait for state that is to stay in memory now: its operator would not know them */
export function refuseWaiting(
  reader: StateReader,
  operator: Pick<Operator, 'name' | 'spilled'>,
): void {
  if (operator.spilled !== undefined) return
  let chunks = 0
  reader.table(DEFERRED_TABLE, () => {
    chunks++
  })
  if (chunks === 0) return
  throw new MillraceError('CHECKPOINT_MISMATCH', {
    message: `the checkpoint holds rows of ${operator.name} that wait for state that was in files`,
    hint: "run once more with a 'state.memory', of any size, until all is read; then it may be left out",
    facts: { operator: operator.name },
  })
}

function directoryOf(dataDirectory: string, pipeline: string): string {
  return join(dataDirectory, 'pipelines', encodeURIComponent(pipeline), 'spill')
}
