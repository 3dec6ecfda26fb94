/**
 * A pipeline put together for one worker: its graph, its tables opened, its operators over one linear memory, and the task that
 * drives them.
 */
import type {
  Sink,
  SinkCommitter,
  SinkWriter,
  SourcePositions,
} from '../connectors/contract/sink.ts'
import type { Source } from '../connectors/contract/source.ts'
import { LinearMemory } from '../data/memory.ts'
import { createDataflow, cutsBelow, type Dataflow } from '../engine/dataflow.ts'
import type { OperatorContext } from '../engine/evaluation.ts'
import { createExchanges, type Exchanges, type Rings } from '../engine/exchange.ts'
import type { Route } from '../engine/exchange-routes.ts'
import { type ExchangingTask, exchangingTask } from '../engine/exchanging-task.ts'
import {
  type Graph,
  type GraphNode,
  isSink,
  isUpdating,
  type SourceGraphNode,
  sinksBelow,
} from '../engine/graph.ts'
import { operatorOf } from '../engine/operators/operators.ts'
import type { SourceSplit } from '../engine/source-split.ts'
import { SourceStage, UNREAD_US } from '../engine/source-stage.ts'
import { type StepResult, Task, type TaskSource } from '../engine/task.ts'
import { invariant, MillraceError } from '../errors.ts'
import type { Scan } from '../plan/nodes.ts'
import type { Clock } from '../ports/clock.ts'
import type { SourceIdentities } from '../state/checkpoint.ts'
import {
  givesChanges,
  type OpenedSink,
  openSink,
  openSource,
  type TableOpening,
} from './open-tables.ts'
import { durationMs, type Settings } from './settings.ts'
import { createSideRows, type SideRows } from './side-rows.ts'
import { listedValues } from './values-source.ts'

const ROWS_MAX = 8192

export interface AssemblyRequest {
  readonly pipeline: string
  readonly graph: Graph
  readonly opening: TableOpening
  readonly settings: Settings
  readonly clock: Clock
  readonly until: 'now' | 'end' | undefined
  /** Of the restored checkpoint; nothing for a fresh start. */
  readonly positions: SourcePositions
  /** By source, which thing of its name the positions are of. */
  readonly identities?: SourceIdentities
  /** Sinks that hold rows of this pipeline, or will at its next commit: their tables are not made again. */
  readonly written?: ReadonlySet<string>
  /** True where someone comes back to saved positions: not for queries. */
  readonly resumes?: boolean
  /** By node id, of the restored checkpoint. */
  readonly watermarks: ReadonlyMap<string, bigint>
  readonly rowsMax?: number
  /** One worker of several; absent: the only one. */
  readonly share?: WorkerShare
}

/** What makes a worker one of several. */
export interface WorkerShare {
  readonly worker: number
  readonly workers: number
  readonly routes: readonly Route[]
  readonly rings: Rings
  /** Opened by the first worker: the others write to the same, and commit nothing. */
  readonly sinks?: readonly AssembledSink[]
  /** False where commits are made elsewhere. */
  readonly commits?: boolean
}

export interface AssembledSource {
  /** What its positions stand under. */
  readonly name: string
  readonly node: SourceGraphNode
  readonly source: Source
  readonly splits: readonly SourceSplit[]
}

export interface AssembledSink extends OpenedSink {
  readonly name: string
  readonly node: number
  readonly writer: SinkWriter
  readonly committer: SinkCommitter
  readonly commitIntervalMs: number
}

export interface Counters {
  rowsUsed: number
  readonly events: Map<string, number>
}

/** What drives the work. */
export interface Driver {
  start(): void
  step(): StepResult | Promise<StepResult>
  /** Of several workers: lets all stand at one place of their streams until `resume`. */
  align?(): Promise<void>
  resume?(): void
}

export interface Assembly {
  readonly memory: LinearMemory
  readonly task: Driver
  readonly dataflow: Dataflow
  readonly sources: readonly AssembledSource[]
  readonly sinks: readonly AssembledSink[]
  readonly side: SideRows
  readonly counters: Counters
  /** Rows that the sink of a node was given. */
  rowsWritten(node: number): number
  dispose(): Promise<void>
}

/** One of several. */
export interface WorkerAssembly extends Assembly {
  readonly task: ExchangingTask
}

export async function assemble(request: AssemblyRequest): Promise<Assembly> {
  const { task, ...assembly } = await parts(request)
  return { ...assembly, task }
}

/** @throws as `assemble` */
export async function assembleWorker(
  request: AssemblyRequest & { readonly share: WorkerShare },
): Promise<WorkerAssembly> {
  const { exchanges, task, ...assembly } = await parts(request)
  invariant(exchanges !== undefined, 'a worker of several has exchanges')
  return { ...assembly, task: exchangingTask(task, exchanges) }
}

/** What has been opened, so that it is closed if the rest can't be. */
type Closing = (() => Promise<void>)[]

async function parts(request: AssemblyRequest): Promise<AssemblyParts> {
  const closing: Closing = []
  try {
    return await openParts(request, closing)
  } catch (cause) {
    // What keeps something from closing is no news beside the cause.
    for (const close of closing.toReversed()) await close().catch(() => {})
    throw cause
  }
}

type AssemblyParts = Assembly & { readonly exchanges: Exchanges | undefined }

async function openParts(request: AssemblyRequest, closing: Closing): Promise<AssemblyParts> {
  const memory = new LinearMemory()
  const side = createSideRows()
  const counters: Counters = { rowsUsed: 0, events: new Map() }
  const sinks = await openSinks(request, memory, closing)
  const sources = await openSources(request, memory, closing)
  const rowsWritten = new Map<number, () => number>()
  const changing = (scan: Scan): boolean => givesChanges(scan, request.opening.connectors)
  const contextOf = contextMaker(request, memory, side, counters, (node) =>
    dataflow.watermarkUs(node),
  )
  const exchanges = exchangesOf(request, memory, contextOf, () => dataflow)
  const dataflow: Dataflow = createDataflow({
    graph: request.graph,
    watermarks: request.watermarks,
    ...(request.rowsMax === undefined ? {} : { piecesOf: { rowsMax: request.rowsMax, memory } }),
    exchange: (_from, to, input) => exchanges?.exchange(to, input),
    operator: (node) => {
      const sink = sinks.find((each) => each.node === node.index)
      const operator = operatorOf(node, contextOf(node), {
        inputUpdates: node.inputs.some((input) => isUpdating(request.graph, input, changing)),
        watermarkUs: request.watermarks.get(node.id) ?? UNREAD_US,
        ...(sink === undefined ? {} : { sink }),
      })
      if (operator.rowsWritten !== undefined) rowsWritten.set(node.index, operator.rowsWritten)
      return operator
    },
  })
  const task = new Task({
    memory,
    clock: request.clock,
    dataflow,
    sources: sources.map((source) => taskSource(source, request, dataflow, contextOf, counters)),
    rowsMax: request.rowsMax ?? ROWS_MAX,
    idleTimeoutMs: request.settings.idleTimeoutMs,
    idleFollowsClock: request.settings.idleFollowsClock,
  })
  return {
    memory,
    task,
    dataflow,
    sources,
    sinks,
    side,
    counters,
    exchanges,
    rowsWritten: (node) => rowsWritten.get(node)?.() ?? 0,
    async dispose() {
      for (const { splits, source } of sources) {
        for (const { reader } of splits) await reader.close()
        await source.close()
      }
      for (const { writer, committer } of sinks) {
        await writer.close()
        if (request.share?.sinks === undefined) await committer.close()
      }
      dataflow.dispose()
    },
  }
}

function exchangesOf(
  { share, graph }: AssemblyRequest,
  memory: LinearMemory,
  contextOf: (node: GraphNode) => OperatorContext,
  dataflow: () => Dataflow,
): Exchanges | undefined {
  if (share === undefined) return undefined
  return createExchanges({
    ...share,
    memory,
    dataflow,
    context: ({ to }) => contextOf(graph.nodes[to]!),
  })
}

function contextMaker(
  { graph, settings, clock }: AssemblyRequest,
  memory: LinearMemory,
  side: SideRows,
  counters: Counters,
  watermarkUs: (node: number) => bigint,
): (node: GraphNode) => OperatorContext {
  return (node) => {
    const sinkNames = sinksBelow(graph, node.index).map((index) => {
      const sink = graph.nodes[index]!
      invariant(isSink(sink), 'sinksBelow names sinks')
      return sink.plan.table.name
    })
    return {
      node: node.id,
      memory,
      settings: { timeZone: settings.timeZone, overflow: settings.overflow },
      side: side.output(sinkNames),
      nowUs: () => BigInt(Math.round(clock.nowMs() * 1000)),
      watermarkUs() {
        const us = watermarkUs(node.index)
        return us <= UNREAD_US ? undefined : us
      },
      count: (event, rows) => counters.events.set(event, (counters.events.get(event) ?? 0) + rows),
    }
  }
}

async function openSinks(
  request: AssemblyRequest,
  memory: LinearMemory,
  closing: Closing,
): Promise<AssembledSink[]> {
  const sinks: AssembledSink[] = []
  const openWriter = async (sink: Sink): Promise<SinkWriter> => {
    const writer = await sink.openWriter(request.share?.worker ?? 0, memory)
    closing.push(() => writer.close())
    return writer
  }
  for (const opened of request.share?.sinks ?? []) {
    sinks.push({ ...opened, writer: await openWriter(opened.sink) })
  }
  if (request.share?.sinks !== undefined) return sinks
  for (const prepared of await prepareSinks(request)) {
    const writer = await openWriter(prepared.sink)
    const committer =
      request.share?.commits === false
        ? elsewhere(prepared.name)
        : await prepared.sink.openCommitter()
    closing.push(() => committer.close())
    sinks.push({ ...prepared, writer, committer })
  }
  return sinks
}

/** The sinks' tables, there and fit, with neither writers nor committers yet. */
export async function prepareSinks(
  request: Pick<AssemblyRequest, 'graph' | 'opening' | 'pipeline' | 'written'>,
): Promise<Omit<AssembledSink, 'writer' | 'committer'>[]> {
  const sinks: Omit<AssembledSink, 'writer' | 'committer'>[] = []
  for (const node of request.graph.nodes) {
    if (!isSink(node)) continue
    const updates = isUpdating(request.graph, node.index, (scan) =>
      givesChanges(scan, request.opening.connectors),
    )
    const { name } = node.plan.table
    const opened = await openSink(node.plan, request.pipeline, updates, request.opening)
    await opened.sink.prepareTable({ isWritten: request.written?.has(name) ?? false })
    sinks.push({
      ...opened,
      name,
      node: node.index,
      commitIntervalMs: durationMs(
        'sink.commit-interval',
        node.plan.table.options['sink.commit-interval'] ?? '0 ms',
      ),
    })
  }
  return sinks
}

function elsewhere(sink: string): SinkCommitter {
  const refuse = (): never => invariant(false, `the commits of ${sink} are made elsewhere`) as never
  return {
    commit: async () => refuse(),
    lastCommitted: async () => refuse(),
    close: async () => {},
  }
}

async function openSources(
  request: AssemblyRequest,
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
    for (const [number, id] of (await source.splits()).entries()) {
      if (!isDealt(number, request.share)) continue
      const split = await openSplit(request, source, name, id, memory)
      closing.push(() => split.reader.close())
      splits.push(split)
    }
    sources.push({ name, node, source, splits })
  }
  return sources
}

/** What has taken a source's name has other rows at the saved positions. @throws SOURCE_REPLACED */
function refuseReplaced(name: string, { identity }: Source, request: AssemblyRequest): void {
  const saved = request.identities?.[name]
  if (saved === undefined || saved === identity) return
  throw new MillraceError('SOURCE_REPLACED', {
    message: `source ${name} of pipeline '${request.pipeline}' is another one than its checkpoint has positions of: it was deleted and made again`,
    hint: 'begin anew with --fresh, or read it under another table name',
    facts: { pipeline: request.pipeline, source: name, identity, saved },
  })
}

/** Splits are dealt to the workers in turn. */
function isDealt(number: number, share: WorkerShare | undefined): boolean {
  return share === undefined || number % share.workers === share.worker
}

async function openSplit(
  request: AssemblyRequest,
  source: Source,
  name: string,
  id: string,
  memory: LinearMemory,
): Promise<SourceSplit> {
  const stood = request.positions[name]?.[id]
  const stopsAt = request.until === 'now' || (request.until === 'end' && !source.bounded)
  const isNew = stood === undefined && request.positions[name] !== undefined
  const from = isNew ? await source.startOfNew?.(id) : stood?.readTo
  const reader = await source.open(id, from, memory)
  return {
    id,
    until: stopsAt ? await source.endPosition(id) : undefined,
    reader,
    position: from ?? reader.start,
    watermarkUs: stood?.watermarkUs === undefined ? UNREAD_US : BigInt(stood.watermarkUs),
    idle: false,
    state: 'reading',
    atEndSinceMs: 0,
    rowsRead: 0,
    lag: undefined,
  }
}

function taskSource(
  { node, splits }: AssembledSource,
  request: AssemblyRequest,
  dataflow: Dataflow,
  contextOf: (node: GraphNode) => OperatorContext,
  counters: Counters,
): TaskSource {
  const stage = new SourceStage({
    node,
    context: contextOf(node),
    cuts: cutsBelow(request.graph, node.index),
    futureBoundUs: request.settings.futureBoundUs,
    splits,
    emit(batch) {
      counters.rowsUsed += batch.count
      dataflow.emit(node.index, batch)
    },
    moved: (watermarkUs) =>
      dataflow.progress(node.index, { watermarkUs, idle: false, ended: false }),
    restoredUs: request.watermarks.get(node.id) ?? UNREAD_US,
  })
  return { node: node.index, splits, stage, endsAtUntil: request.until === 'end' }
}
