/**
 * The running graph of one worker: operators joined by nested calls, and the watermarks between them.
 *
 * A node's watermark is the least of its inputs' that are not idle, and never goes back. When it moves, the operator is told first
 * (it fires), then what reads it. Edges that go through an exchange have one channel a worker; others have one channel.
 */
import type { Batch } from '../data/batch.ts'
import type { LinearMemory } from '../data/memory.ts'
import { visitCalls } from '../plan/columns.ts'
import type { Expression } from '../plan/expressions.ts'
import type { WindowAggregate, WindowTable } from '../plan/nodes.ts'
import { combinedUs, heldByOthersUs, type InputWatermark } from '../time/watermarks.ts'
import { type Grid, gridOf, WATERMARK_MAX, WATERMARK_MIN } from '../time/windows.ts'
import type { Graph, GraphNode, OperatorGraphNode } from './graph.ts'
import type { Emit, Operator } from './operator.ts'
import { type Outsides, outsidesOf } from './outsides.ts'

/** What travels on an edge beside rows. */
export interface Progress {
  readonly watermarkUs: bigint
  readonly idle: boolean
  readonly ended: boolean
}

export interface Exchange {
  /** Channels that the edge has on the receiving side. */
  readonly channels: number
  send(batch: Batch): void
  progress(progress: Progress): void
}

export interface DataflowOptions {
  readonly graph: Graph
  operator(node: GraphNode & { readonly kind: 'operator' }): Operator
  /** Undefined where rows stay with the worker. */
  exchange(from: number, to: number, input: number): Exchange | undefined
  /** Rows go on no more than so many at a time, each as if it had come alone; absent: as they come. */
  readonly piecesOf?: { readonly rowsMax: number; readonly memory: LinearMemory }
  /** Where nodes stood, by id, when the restored checkpoint was taken. */
  readonly watermarks: ReadonlyMap<string, bigint>
}

export interface Dataflow extends Outsides {
  /** Sends rows from `node` to what reads it. */
  emit(node: number, batch: Batch): void
  progress(node: number, progress: Progress): void
  /** From an exchange: as if `channel` of the edge had said it directly. */
  receive(node: number, input: number, batch: Batch): void
  receiveProgress(node: number, input: number, channel: number, progress: Progress): void
  /** The machine's clock has moved: operators of the processing domain are told. */
  clock(nowUs: bigint): void
  /** Nothing is there to be read: one operator deals with what waits; true if any had something. */
  idle(): boolean
  /** True when all inputs of every sink have ended. */
  ended(): boolean
  /** By node id. */
  watermarks(): Map<string, bigint>
  watermarkUs(node: number): bigint
  /** Where rows of `node` leave the worker: the least watermark of the other workers' channels that are not idle. Undefined if none holds it, or none leave. */
  heldByWorkersUs(node: number, worker: number): bigint | undefined
  /** The watermark that what reads `node` has been told. */
  givenUs(node: number): bigint
  readonly operators: readonly { readonly node: GraphNode; readonly operator: Operator }[]
  dispose(): void
}

interface Channel extends InputWatermark {
  ended: boolean
}

interface NodeState {
  readonly node: GraphNode
  readonly operator: Operator | undefined
  readonly emit: Emit
  /** By input. */
  readonly channels: readonly (readonly Channel[])[]
  readonly allChannels: readonly Channel[]
  readonly endedInputs: Set<number>
  watermarkUs: bigint
  idle: boolean
  ended: boolean
  /** What its readers were told last. */
  told: Progress | undefined
}

export function createDataflow(options: DataflowOptions): Dataflow {
  const { graph } = options
  const exchanges = new Map<string, Exchange>()
  const states = graph.nodes.map((node) => stateOf(node, options, exchanges, emit))

  function emit(index: number, batch: Batch): void {
    if (batch.count === 0) return
    const { piecesOf } = options
    if (piecesOf === undefined || batch.count <= piecesOf.rowsMax) send(index, batch)
    else for (const piece of pieces(batch, piecesOf)) send(index, piece)
  }

  function send(index: number, batch: Batch): void {
    for (const { node, input } of graph.nodes[index]!.consumers) {
      const exchange = exchanges.get(edgeKey(node, input))
      if (exchange === undefined) receive(node, input, batch)
      else exchange.send(batch)
    }
  }

  function receive(index: number, input: number, batch: Batch): void {
    states[index]!.operator?.onBatch(batch, states[index]!.emit, input)
  }

  function progress(index: number, told: Progress): void {
    for (const { node, input } of graph.nodes[index]!.consumers) {
      const exchange = exchanges.get(edgeKey(node, input))
      if (exchange === undefined) receiveProgress(node, input, 0, told)
      else exchange.progress(told)
    }
  }

  function receiveProgress(index: number, input: number, number: number, told: Progress): void {
    const state = states[index]!
    const channels = state.channels[input]!
    const channel = channels[number]!
    channel.ended = told.ended
    // One worker's part of an input that has ended is like a split that has: others of the input may still hold the watermark.
    channel.idle = told.idle || told.ended
    if (!told.ended) channel.watermarkUs = told.watermarkUs
    if (channels.every(({ ended }) => ended)) {
      if (!state.endedInputs.has(input)) state.operator?.onInputEnd?.(input, state.emit)
      state.endedInputs.add(input)
      for (const each of channels) Object.assign(each, { watermarkUs: WATERMARK_MAX, idle: false })
    }
    settle(state, index)
  }

  function settle(state: NodeState, index: number): void {
    const { watermarkUs, idle, ended } = reachedBy(state)
    const moved = watermarkUs > state.watermarkUs
    if (!moved && idle === state.idle && ended === state.ended) return
    if (moved) {
      state.watermarkUs = watermarkUs
      state.operator?.onWatermark(watermarkUs, state.emit)
    }
    if (ended && !state.ended) state.operator?.onEnd(state.emit)
    Object.assign(state, { idle, ended })
    tell(state, index)
  }

  function tell(state: NodeState, index: number): void {
    const told = toldBy(state)
    if (isSame(told, state.told)) return
    state.told = told
    progress(index, told)
  }

  return {
    emit,
    progress(index, told) {
      const state = states[index]!
      if (told.watermarkUs > state.watermarkUs) state.watermarkUs = told.watermarkUs
      state.ended = told.ended
      progress(index, told)
    },
    receive,
    receiveProgress,
    clock(nowUs) {
      for (const { operator, emit } of states) operator?.onClock?.(nowUs, emit)
    },
    ...outsidesOf(states, tell),
    idle: () => states.some(({ operator, emit }) => operator?.onIdle?.(emit) === true),
    ended: () => states.every((state) => state.node.kind === 'source' || state.ended),
    watermarks: () => new Map(states.map((state) => [state.node.id, reachedUs(state)])),
    watermarkUs: (index) => reachedUs(states[index]!),
    heldByWorkersUs: (index, worker) =>
      heldByWorkersUs({ graph, states, exchanges }, index, worker),
    givenUs: (index) => givenUs(states[index]!.node, reachedUs(states[index]!)),
    operators: states.flatMap(({ node, operator }) =>
      operator === undefined ? [] : [{ node, operator }],
    ),
    dispose: () => states.forEach(({ operator }) => void operator?.dispose()),
  }
}

/** What a node's inputs say together. */
function reachedBy({ allChannels, watermarkUs }: NodeState): Progress {
  return {
    watermarkUs: combinedUs(allChannels, watermarkUs),
    idle: allChannels.every(({ idle }) => idle),
    ended: allChannels.every(({ ended }) => ended),
  }
}

/** Rows that wait for what is outside hold back what came behind them. */
function toldBy(state: NodeState): Progress {
  const { node, operator, idle, ended } = state
  const mayPass = operator?.outside?.isWaiting !== true
  return {
    watermarkUs: givenUs(node, reachedUs(state)),
    idle: idle && mayPass,
    ended: ended && mayPass,
  }
}

/** As far as a node's rows have gone on. */
function reachedUs({ operator, watermarkUs }: NodeState): bigint {
  return operator?.outside?.watermarkUs ?? watermarkUs
}

function isSame(told: Progress, before: Progress | undefined): boolean {
  return (
    told.watermarkUs === before?.watermarkUs &&
    told.idle === before.idle &&
    told.ended === before.ended
  )
}

interface Wired {
  readonly graph: Graph
  readonly states: readonly NodeState[]
  readonly exchanges: ReadonlyMap<string, Exchange>
}

function heldByWorkersUs(wired: Wired, index: number, worker: number): bigint | undefined {
  for (const { node, input } of wired.graph.nodes[index]!.consumers) {
    const channels = wired.states[node]!.channels[input]!
    if (wired.exchanges.has(edgeKey(node, input)))
      return heldByOthersUs(channels, channels[worker]!)
    const below = heldByWorkersUs(wired, node, worker)
    if (below !== undefined) return below
  }
  return undefined
}

function* pieces(
  batch: Batch,
  { rowsMax, memory }: NonNullable<DataflowOptions['piecesOf']>,
): Generator<Batch> {
  const { arena } = memory
  let { selection } = batch
  if (selection === 0) {
    selection = arena.allocate(4 * batch.count)
    for (let at = 0; at < batch.count; at++) memory.u32[selection / 4 + at] = at
  }
  for (let from = 0; from < batch.count; from += rowsMax) {
    const count = Math.min(rowsMax, batch.count - from)
    yield { ...batch, selection: selection + 4 * from, count }
  }
}

/** What rows of a source are cut by, so that each meets the watermark of exactly the rows before it. */
export interface Cuts {
  /** Of windows below: a batch is cut where the watermark passes a point of one of them. */
  readonly grids: readonly Grid[]
  /**
   * A batch is also cut before a row that is no more than this ahead of the watermark of the rows before it (µs), if those moved
   * it; absent: nothing below asks for it.
   */
  readonly aheadUs?: bigint
}

/** Sessions that end where the next row begins are one: such a row is 1 ms ahead of the watermark that would close the first. */
const SESSION_AHEAD_US = 1000n
/** Ahead of any watermark: each row is told the one of those before it. */
const ALWAYS_US = 1n << 61n

/** CURRENT_WATERMARK() shows it, and so do process functions, whose timers it moves. */
function asksWatermark({ plan, filter }: OperatorGraphNode): boolean {
  if (plan.kind === 'process') return true
  if (plan.kind !== 'filter' && plan.kind !== 'project') return false
  const asks = (expression: Expression): boolean => {
    let found = false
    visitCalls(expression, ({ function: name }) => {
      found ||= name === 'CURRENT_WATERMARK'
    })
    return found
  }
  const conditions = [plan, filter].flatMap((each) =>
    each?.kind === 'filter' ? [each.condition] : [],
  )
  return [...conditions, ...(plan.kind === 'project' ? plan.expressions : [])].some(asks)
}

export function cutsBelow(graph: Graph, node: number): Cuts {
  const grids = new Map<string, Grid>()
  let aheadUs: bigint | undefined
  const visit = (index: number): void => {
    const at = graph.nodes[index]!
    if (at.kind === 'operator') {
      if (asksWatermark(at)) aheadUs = ALWAYS_US
      else if (meetsEachRow(at.plan)) aheadUs ??= SESSION_AHEAD_US
      for (const grid of gridsIn(at.plan)) grids.set(`${grid.slideUs} ${grid.offsetUs}`, grid)
    }
    for (const consumer of at.consumers) visit(consumer.node)
  }
  visit(node)
  return { grids: [...grids.values()], ...(aheadUs === undefined ? {} : { aheadUs }) }
}

/** Where its windows fire, and where they are dropped if that is later. */
function gridsIn(plan: OperatorGraphNode['plan']): readonly Grid[] {
  if (plan.kind !== 'window-aggregate' && plan.kind !== 'window-table') return []
  const { window, timeDomain } = plan
  if (timeDomain === 'processing' || window.kind === 'session' || window.kind === 'attached')
    return []
  const { latenessUs = 0 } = plan.kind === 'window-aggregate' ? (plan.emit ?? {}) : {}
  if (latenessUs === 0) return [gridOf(window)]
  return [gridOf(window), gridOf({ ...window, offsetUs: window.offsetUs + latenessUs })]
}

/** What it does with a row hangs on the watermark of the very rows before it, not on windows that lie on a grid. */
function meetsEachRow(plan: OperatorGraphNode['plan']): boolean {
  switch (plan.kind) {
    case 'window-table':
    case 'window-aggregate':
      return plan.timeDomain !== 'processing' && isToldByRow(plan)
    case 'interval-join':
    case 'temporal-join':
    case 'temporal-sort':
    case 'match-recognize':
      return plan.timeDomain !== 'processing'
    case 'over-aggregate':
      return plan.time !== undefined && plan.timeDomain !== 'processing'
    case 'deduplicate':
      return plan.keep === 'first' && plan.timeDomain !== 'processing'
    default:
      return false
  }
}

/** Sessions; and windows that rows bear and may correct, which lie on no grid that is known here. */
function isToldByRow(plan: WindowTable | WindowAggregate): boolean {
  if (plan.window.kind === 'session') return true
  return (
    plan.window.kind === 'attached' && plan.kind === 'window-aggregate' && plan.emit !== undefined
  )
}

/**
 * The watermark that a node gives while its own is `watermarkUs`: an interval join's rows may be as much older as its bounds reach.
 *
 * @see Flink, KeyedCoProcessOperatorWithWatermarkDelay and TimeIntervalJoin.getMaxOutputDelay
 */
export function givenUs(node: GraphNode, watermarkUs: bigint): bigint {
  if (node.kind !== 'operator' || node.plan.kind !== 'interval-join') return watermarkUs
  const { timeDomain, lowerUs, upperUs } = node.plan
  if (timeDomain === 'processing') return watermarkUs
  if (watermarkUs === WATERMARK_MAX || watermarkUs === WATERMARK_MIN) return watermarkUs
  const given = watermarkUs - BigInt(Math.max(-lowerUs, upperUs))
  return given < WATERMARK_MIN ? WATERMARK_MIN : given
}

function stateOf(
  node: GraphNode,
  options: DataflowOptions,
  exchanges: Map<string, Exchange>,
  emit: (index: number, batch: Batch) => void,
): NodeState {
  const channels = node.inputs.map((from, input) => {
    const exchange = options.exchange(from, node.index, input)
    if (exchange !== undefined) exchanges.set(edgeKey(node.index, input), exchange)
    // What reads a restored node must not wait for it to move again: it may never.
    const giver = options.graph.nodes[from]!
    const watermarkUs = givenUs(giver, options.watermarks.get(giver.id) ?? WATERMARK_MIN)
    return Array.from({ length: exchange?.channels ?? 1 }, () => ({
      watermarkUs,
      idle: false,
      ended: false,
    }))
  })
  return {
    node,
    operator: node.kind === 'operator' ? options.operator(node) : undefined,
    emit: (batch) => emit(node.index, batch),
    channels,
    allChannels: channels.flat(),
    endedInputs: new Set(),
    watermarkUs: options.watermarks.get(node.id) ?? WATERMARK_MIN,
    idle: false,
    ended: false,
    told: undefined,
  }
}

function edgeKey(node: number, input: number): string {
  return `${node} ${input}`
}
