/**
 * A pipeline put together for one worker: its graph, its tables opened, its operators over one linear memory, and the task that
 * drives them.
 */
import type { MessagePort } from 'node:worker_threads'
import type { Sink, SinkCommitter, SinkWriter } from '../connectors/contract/sink.ts'
import { LinearMemory } from '../data/memory.ts'
import { createDataflow, cutsBelow, type Dataflow, givenUs } from '../engine/dataflow.ts'
import type { OperatorContext } from '../engine/evaluation.ts'
import { createExchanges, type Exchanges, groupsOf, type Rings } from '../engine/exchange.ts'
import type { Route } from '../engine/exchange-routes.ts'
import { type ExchangingTask, exchangingTask } from '../engine/exchanging-task.ts'
import {
  type GraphNode,
  isSink,
  isUpdating,
  type OperatorGraphNode,
  readsChanges,
} from '../engine/graph.ts'
import type { LookupCalls } from '../engine/operators/lookup-calls.ts'
import { type OperatorPlace, operatorOf } from '../engine/operators/operators.ts'
import { reflectionOf } from '../engine/reflected.ts'
import { SourceStage, UNREAD_US } from '../engine/source-stage.ts'
import { type StepResult, Task, type TaskSource } from '../engine/task.ts'
import { invariant } from '../errors.ts'
import type { Scan } from '../plan/nodes.ts'
import type { Clock } from '../ports/clock.ts'
import { createSnapshotWriter, type SnapshotWriter } from '../state/snapshot-writer.ts'
import { dropMemory } from './dropped-memory.ts'
import { openLookups } from './open-lookups.ts'
import {
  type AssembledSource,
  type Closing,
  openSources,
  type SourcesRequest,
} from './open-sources.ts'
import { givesChanges, type OpenedSink, openSink } from './open-tables.ts'
import { type Counters, contextMaker } from './operator-contexts.ts'
import { durationMs, type Settings } from './settings.ts'
import { createSideRows, type SideRows } from './side-rows.ts'
import { spilling } from './spilling.ts'
import { loadFunctionsOf } from './user-functions.ts'
import { writtenAhead } from './written-ahead.ts'

const ROWS_MAX = 8192

export interface AssemblyRequest extends SourcesRequest {
  readonly settings: Settings
  readonly clock: Clock
  /** Sinks that hold rows of this pipeline, or will at its next commit: their tables are not made again. */
  readonly written?: ReadonlySet<string>
  /** By node id, of the restored checkpoint. */
  readonly watermarks: ReadonlyMap<string, bigint>
  readonly rowsMax?: number
  /** False: no checkpoint is ever taken. */
  readonly checkpoints?: boolean
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
  /** By sink, to the thread that commits, where a sink asks for them. */
  readonly lines?: readonly (MessagePort | undefined)[]
}

export interface AssembledSink extends OpenedSink {
  readonly name: string
  readonly node: number
  readonly writer: SinkWriter
  readonly committer: SinkCommitter
  readonly commitIntervalMs: number
}

/** What drives the work. */
export interface Driver {
  start(): void
  /** Tells each split how far its rows are reflected in results. */
  reflect(): void
  step(): StepResult | Promise<StepResult>
  /** Of one worker: the next step looks at splits at their end, however lately that was done. */
  lookNow?(): void
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
  /** Of the next checkpoint. */
  readonly stateWriter: SnapshotWriter
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
  const { exchanges, task, ahead, ...assembly } = await parts(request)
  invariant(exchanges !== undefined, 'a worker of several has exchanges')
  return { ...assembly, task: exchangingTask(task, exchanges, ahead) }
}

async function parts(request: AssemblyRequest): Promise<AssemblyParts> {
  await loadFunctionsOf(request.graph.nodes, request.opening.baseDirectory)
  const closing: Closing = []
  try {
    return await openParts(request, closing)
  } catch (cause) {
    // What keeps something from closing is no news beside the cause.
    for (const close of closing.toReversed()) await close().catch(() => {})
    throw cause
  }
}

/** What only joins ask for. */
function joinPlace(
  { graph }: AssemblyRequest,
  { inputs }: GraphNode,
  sources: readonly AssembledSource[],
  changing: (scan: Scan) => boolean,
): Pick<OperatorPlace, 'leftUpdates' | 'rightEnds'> {
  const [left, right] = inputs
  if (left === undefined || right === undefined) return {}
  const ends = (index: number): boolean => {
    const at = graph.nodes[index]!
    if (at.kind === 'operator') return at.inputs.every(ends)
    return sources.find(({ node }) => node.index === index)?.source.bounded ?? false
  }
  return { leftUpdates: isUpdating(graph, left, changing), rightEnds: ends(right) }
}

/** What only calls of asynchronous functions ask for. */
function asyncPlace(
  { graph, settings, watermarks, share }: AssemblyRequest,
  node: OperatorGraphNode,
  lookup: LookupCalls | undefined,
): Pick<OperatorPlace, 'async'> {
  if (node.plan.kind !== 'async-call') return {}
  const input = graph.nodes[node.inputs[0]!]!
  const reachedUs = (id: string): bigint => watermarks.get(id) ?? UNREAD_US
  const async = {
    ...(lookup && { lookup: lookup.code }),
    asking: settings.asking,
    watermarkUs: reachedUs(node.id),
    inputWatermarkUs: givenUs(input, reachedUs(input.id)),
    ...(share && { groups: groupsOf(share.worker, share.workers) }),
  }
  return { async }
}

interface AssemblyParts extends Assembly {
  readonly task: Task
  readonly exchanges: Exchanges | undefined
  readonly ahead: () => void
}

async function openParts(request: AssemblyRequest, closing: Closing): Promise<AssemblyParts> {
  const memory = new LinearMemory()
  const side = createSideRows()
  const counters: Counters = { rowsUsed: 0, events: new Map() }
  const sinks = await openSinks(request, memory, closing)
  const sources = await openSources(request, memory, closing)
  const lookups = await openLookups(request, memory, closing)
  const rowsWritten = new Map<number, () => number>()
  const changing = (scan: Scan): boolean => givesChanges(scan, request.opening.connectors)
  const contextOf = contextMaker(request, memory, side, counters, (node) =>
    dataflow.watermarkUs(node),
  )
  const exchanges = exchangesOf(request, memory, contextOf, () => dataflow)
  const spills = spilling({ ...request, worker: request.share?.worker ?? 0 })
  const dataflow: Dataflow = createDataflow({
    graph: request.graph,
    watermarks: request.watermarks,
    ...(request.rowsMax === undefined ? {} : { piecesOf: { rowsMax: request.rowsMax, memory } }),
    exchange: (_from, to, input) => exchanges?.exchange(to, input),
    operator: (node) => {
      const sink = sinks.find((each) => each.node === node.index)
      const context = contextOf(node)
      const place = {
        inputUpdates: node.inputs.some((input) => isUpdating(request.graph, input, changing)),
        tablesChange: readsChanges(request.graph, node.index, changing),
        ...joinPlace(request, node, sources, changing),
        watermarkUs: request.watermarks.get(node.id) ?? UNREAD_US,
        ...asyncPlace(request, node, lookups.get(node.index)),
        ...(sink === undefined ? {} : { sink }),
      }
      const operator = spills(node, context, place) ?? operatorOf(node, context, place)
      if (operator.rowsWritten !== undefined) rowsWritten.set(node.index, operator.rowsWritten)
      return operator
    },
  })
  const stateWriter = createSnapshotWriter()
  const { checkpointIntervalMs } = request.settings
  const ahead =
    request.checkpoints === false
      ? () => {}
      : writtenAhead(dataflow, stateWriter, request.clock, checkpointIntervalMs)
  const task = new Task({
    memory,
    betweenBatches: ahead,
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
    stateWriter,
    exchanges,
    ahead,
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
      for (const lookup of lookups.values()) await lookup.close()
      dataflow.dispose()
      dropMemory(memory)
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

async function openSinks(
  request: AssemblyRequest,
  memory: LinearMemory,
  closing: Closing,
): Promise<AssembledSink[]> {
  const sinks: AssembledSink[] = []
  const openWriter = async (sink: Sink): Promise<SinkWriter> => {
    const line = request.share?.lines?.[sinks.length]
    const writer = await sink.openWriter(request.share?.worker ?? 0, memory, line)
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

function taskSource(
  { node, splits }: AssembledSource,
  request: AssemblyRequest,
  dataflow: Dataflow,
  contextOf: (node: GraphNode) => OperatorContext,
  counters: Counters,
): TaskSource {
  const reflection = reflectionOf(request.graph, node.index, dataflow.watermarkUs, splits)
  const heldBy = (worker: number) => () => dataflow.heldByWorkersUs(node.index, worker)
  const stage = new SourceStage({
    node,
    followsTime: reflection !== undefined,
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
    ...(request.share === undefined ? {} : { heldElsewhereUs: heldBy(request.share.worker) }),
  })
  return { node: node.index, splits, stage, reflection, endsAtUntil: request.until === 'end' }
}
