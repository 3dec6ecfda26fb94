/** State that need not fit into memory: where its files are, and which operators have it. */
import { join } from 'node:path'
import type { OperatorContext } from '../engine/evaluation.ts'
import type { OperatorGraphNode } from '../engine/graph.ts'
import type { Operator } from '../engine/operator.ts'
import { type OperatorPlace, operatorOf } from '../engine/operators/operators.ts'
import { spillable } from '../engine/spill/spillable.ts'
import { spillingOperator } from '../engine/spill/spilling-operator.ts'
import { stateMemory } from '../engine/spill/state-memory.ts'
import type { Files } from '../ports/files.ts'
import { spillFile } from '../state/spill-file.ts'
import type { AssemblyRequest } from './assembly.ts'
import type { PipelineStart } from './handle.ts'

/** The operator of a node whose state may leave memory; undefined where there is none, or no bound to keep. */
export function spilling({
  graph,
  settings,
  clock,
  opening,
  pipeline,
  share,
}: AssemblyRequest): (
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
    const name = `${share?.worker ?? 0}-${node.index}-${unique}.spill`
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

function directoryOf(dataDirectory: string, pipeline: string): string {
  return join(dataDirectory, 'pipelines', encodeURIComponent(pipeline), 'spill')
}
