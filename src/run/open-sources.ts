/** A worker's sources, opened where a checkpoint left them: its share of their splits. */
import type { SourcePositions } from '../connectors/contract/sink.ts'
import type { Source } from '../connectors/contract/source.ts'
import type { LinearMemory } from '../data/memory.ts'
import { cutsBelow } from '../engine/dataflow.ts'
import { type Graph, isLookedUp, type SourceGraphNode } from '../engine/graph.ts'
import { type LatenessMeter, latenessMeter, latenessOf } from '../engine/lateness-meter.ts'
import type { SourceSplit } from '../engine/source-split.ts'
import { UNREAD_US } from '../engine/source-stage.ts'
import { MillraceError } from '../errors.ts'
import type { KeptLateness, SourceIdentities } from '../state/checkpoint.ts'
import { openSource, type TableOpening } from './open-tables.ts'
import { listedValues } from './values-source.ts'

/** What has been opened, so that it is closed if the rest can't be. */
export type Closing = (() => Promise<void>)[]

export interface SourcesRequest {
  readonly pipeline: string
  readonly graph: Graph
  readonly opening: TableOpening
  readonly until: 'now' | 'end' | undefined
  /** Of the restored checkpoint; nothing for a fresh start. */
  readonly positions: SourcePositions
  /** By source, which thing of its name the positions are of. */
  readonly identities?: SourceIdentities
  /** What had been counted of splits' lateness. */
  readonly lateness?: KeptLateness['splits']
  /** True where someone comes back to saved positions: not for queries. */
  readonly resumes?: boolean
  /** One worker of several; absent: the only one. */
  readonly share?: { readonly worker: number; readonly workers: number }
}

export interface AssembledSource {
  /** What its positions stand under. */
  readonly name: string
  readonly node: SourceGraphNode
  readonly source: Source
  readonly splits: readonly SourceSplit[]
}

/** Opens every source of the graph, and of their splits those that are this worker's. @throws SOURCE_REPLACED, and what connectors throw */
export async function openSources(
  request: SourcesRequest,
  memory: LinearMemory,
  closing: Closing,
): Promise<AssembledSource[]> {
  const sources: AssembledSource[] = []
  for (const node of request.graph.nodes) {
    if (node.kind !== 'source') continue
    const { origin } = node
    const table = origin.kind === 'values' ? 'values' : origin.table.name
    // Two different scans of one table are read side by side.
    const name = sources.some((each) => each.name === table) ? node.id : table
    const consumer =
      request.resumes === true ? { pipeline: request.pipeline, source: name } : undefined
    const source =
      origin.kind === 'values'
        ? listedValues(origin)
        : await openSource(origin, request.opening, consumer)
    closing.push(() => source.close())
    refuseReplaced(name, source, request)
    const splits: SourceSplit[] = []
    const metering = meteringOf(request, node, name, memory)
    for (const [number, id] of (await source.splits()).entries()) {
      if (!isDealt(number, request.share)) continue
      const split = await openSplit(request, node.index, source, name, id, memory)
      closing.push(() => split.reader.close())
      splits.push(metered(split, metering(id, splits.length)))
    }
    sources.push({ name, node, source, splits })
  }
  return sources
}

/** What has taken a source's name has other rows at the saved positions. @throws SOURCE_REPLACED */
function refuseReplaced(name: string, { identity }: Source, request: SourcesRequest): void {
  const saved = request.identities?.[name]
  if (saved === undefined || saved === identity) return
  throw new MillraceError('SOURCE_REPLACED', {
    message: `source ${name} of pipeline '${request.pipeline}' is another one than its checkpoint has positions of: it was deleted and made again`,
    hint: 'begin anew with --fresh, or read it under another table name',
    facts: { pipeline: request.pipeline, source: name, identity, saved },
  })
}

/** Splits are dealt to the workers in turn. */
function isDealt(number: number, share: SourcesRequest['share']): boolean {
  return share === undefined || number % share.workers === share.worker
}

/** Splits that are metered each for itself; what comes after is counted with the last of them. */
const METERS_MAX = 128

interface Metering {
  readonly meter: LatenessMeter | undefined
  readonly isOwn: boolean
}

/** A meter for each split of `node`, where its watermark has a delay to be measured by and someone comes back to what was counted. */
function meteringOf(
  { graph, resumes, lateness }: SourcesRequest,
  node: SourceGraphNode,
  name: string,
  memory: LinearMemory,
): (split: string, number: number) => Metering {
  const of = resumes ? latenessOf(node.assigner, cutsBelow(graph, node.index).grids) : undefined
  let last: LatenessMeter | undefined
  return (split, number) => {
    if (of === undefined) return { meter: undefined, isOwn: false }
    const isOwn = number < METERS_MAX
    if (isOwn) last = latenessMeter(memory, of, lateness?.[name]?.[split])
    return { meter: last, isOwn }
  }
}

function metered(split: SourceSplit, { meter, isOwn }: Metering): SourceSplit {
  return {
    ...split,
    meter,
    get lateness() {
      return isOwn ? meter?.read() : undefined
    },
  }
}

async function openSplit(
  request: SourcesRequest,
  node: number,
  source: Source,
  name: string,
  id: string,
  memory: LinearMemory,
): Promise<SourceSplit> {
  const stood = request.positions[name]?.[id]
  // A table that is looked up must end, even if the run does not: rows wait for that.
  const endsItself = source.bounded && (request.until === 'end' || isLookedUp(request.graph, node))
  const stopsAt = request.until !== undefined && !endsItself
  const isNew = stood === undefined && request.positions[name] !== undefined
  const from = isNew ? await source.startOfNew?.(id) : stood?.readTo
  const reader = await source.open(id, from, memory)
  return {
    id,
    until: stopsAt ? await source.endPosition(id) : undefined,
    reader,
    position: from ?? reader.start,
    watermarkUs: stood?.watermarkUs === undefined ? UNREAD_US : BigInt(stood.watermarkUs),
    reflectedTo: stood?.reflectedTo,
    openUntilUs: stood?.openUntilUs === undefined ? undefined : BigInt(stood.openUntilUs),
    idle: false,
    state: 'reading',
    atEndSinceMs: 0,
    rowsRead: 0,
    lag: undefined,
  }
}
