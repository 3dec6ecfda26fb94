/**
 * One worker's end of all exchanges: rows by the hash of their keys to the worker that owns their key group, progress and barriers
 * to all, each in the order in which it was sent.
 *
 * What a ring has no room for waits in an outbox. Rows of an exchange are taken in only while nothing waits for those below it, and
 * sources are read only while nothing waits at all: so one step's rows are all that ever waits, and rings cannot block each other
 * in a circle. A worker's own rows go straight on.
 *
 * Each channel begins with what its worker's input stands at. No row is dealt with before all have: a worker without splits would
 * else hold the watermark for a moment, and what is late would depend on who started first.
 *
 * A *barrier* cuts all streams at one place: behind it a channel is left alone until every channel of every exchange has brought
 * its own; meanwhile the others are drained. Then the worker stands exactly where the barrier was.
 */
import { compileProjection } from '../compile/expression.ts'
import type { Batch } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { invariant } from '../errors.ts'
import { GATHER_SLACK_BYTES, gatherKernel } from '../kernels/gather.ts'
import { keyHasher } from '../kernels/group.ts'
import { KEY_GROUPS } from '../state/keyed-table.ts'
import { WATERMARK_MAX } from '../time/windows.ts'
import type { Dataflow, Exchange, Progress } from './dataflow.ts'
import { evaluationOf, type OperatorContext } from './evaluation.ts'
import { travellingColumns } from './exchange-columns.ts'
import { type ExchangedPartials, exchangedPartials, PARTIAL_MESSAGE } from './exchange-partials.ts'
import type { Route } from './exchange-routes.ts'
import { decodeRows, encodeRows, MESSAGE } from './exchange-rows.ts'
import { MESSAGE_ALIGN, type RingReader, type RingWriter } from './ring.ts'

/** Rings of one worker; nothing at its own place. */
export interface Rings {
  out(route: number, to: number): RingWriter
  in(route: number, from: number): RingReader
}

export interface ExchangesOptions {
  readonly routes: readonly Route[]
  readonly worker: number
  readonly workers: number
  readonly memory: LinearMemory
  readonly rings: Rings
  context(route: Route): OperatorContext
  /** Asked for only when rows or progress are on their way. */
  dataflow(): Dataflow
}

export interface Exchanges {
  exchange(to: number, input: number): Exchange | undefined
  /** Moves on what waits; true if anything could be. */
  flush(): boolean
  /** True when nothing waits for room. */
  readonly clear: boolean
  /** Tells where this worker's inputs stand, after they have started. */
  greet(): void
  /** True when all have; before, sources are not read. */
  readonly greeted: boolean
  /** Takes in one message, if there is one that may be; its rows are dealt with when it returns. */
  receive(): boolean
  /** Sources have stopped: cuts the streams here. */
  barrier(): void
  /** True from when all barriers have come until `resume`. */
  readonly aligned: boolean
  resume(): void
}

interface Channel {
  readonly reader: RingReader
  /** Its first message has come. */
  greeted: boolean
  /** Its barrier has come. */
  barred: boolean
}

interface Lane {
  readonly route: Route
  readonly exchange: Exchange
  readonly outboxes: readonly Outbox[]
  /** By worker; undefined at the worker's own place. */
  readonly channels: readonly (Channel | undefined)[]
  /** The barrier has been sent. */
  passed: boolean
  /** Something has been told. */
  readonly hasTold: () => boolean
  /** Once the dataflow is there. */
  readonly partials: () => ExchangedPartials
}

interface Outbox {
  send(message: Uint8Array): void
  flush(): boolean
  readonly clear: boolean
}

export function createExchanges(options: ExchangesOptions): Exchanges {
  const { routes, memory } = options
  const lanes = routes.map((route, number) => laneOf(options, route, number))
  let isAligning = false
  let isGreeted = false

  const isClear = (from: number): boolean =>
    lanes.every(({ outboxes }, number) => number < from || outboxes.every(({ clear }) => clear))
  const isWhole = ({ channels, passed }: Lane): boolean =>
    passed && channels.every((channel) => channel === undefined || channel.barred)

  const isGreetedLane = ({ channels }: Lane): boolean =>
    channels.every((channel) => channel === undefined || channel.greeted)

  /** A barrier goes on where all that leads there has brought its own. */
  function passBarriers(): void {
    for (const lane of lanes) {
      if (lane.passed || !lane.route.above.every((number) => isWhole(lanes[number]!))) continue
      lane.passed = true
      lane.partials().flush(WATERMARK_MAX)
      const message = new Uint8Array(MESSAGE_ALIGN)
      new Uint32Array(message.buffer).set([MESSAGE_ALIGN, MESSAGE.barrier])
      for (const outbox of lane.outboxes) outbox.send(message)
    }
  }

  function accept({ route, partials }: Lane, from: number, channel: Channel, at: Pointer): void {
    const dataflow = options.dataflow()
    const kind = memory.u32[at / 4 + 1]
    if (kind === MESSAGE.rows)
      dataflow.receive(route.to, route.input, decodeRows(memory, route.schema, at))
    else if (kind === MESSAGE.progress) {
      dataflow.receiveProgress(route.to, route.input, from, progressAt(memory, at))
    } else if (kind === PARTIAL_MESSAGE) partials().receive(at)
    else {
      invariant(kind === MESSAGE.barrier, `there is no message of kind ${kind}`)
      channel.barred = true
      if (isAligning) passBarriers()
    }
  }

  return {
    exchange: (to, input) =>
      lanes.find(({ route }) => route.to === to && route.input === input)?.exchange,
    flush() {
      let moved = false
      for (const { outboxes } of lanes) {
        for (const outbox of outboxes) moved = outbox.flush() || moved
      }
      return moved
    },
    get clear() {
      return isClear(0)
    },
    greet() {
      for (const { exchange, route, hasTold } of lanes) {
        if (hasTold()) continue
        const watermarkUs = options.dataflow().givenUs(route.from)
        exchange.progress({ watermarkUs, idle: false, ended: false })
      }
    },
    get greeted() {
      isGreeted ||= lanes.every(isGreetedLane)
      return isGreeted
    },
    receive() {
      for (let number = lanes.length - 1; number >= 0; number--) {
        const lane = lanes[number]!
        if (!isClear(number + 1)) continue
        for (const [from, channel] of lane.channels.entries()) {
          if (channel === undefined || channel.barred) continue
          if (channel.greeted && !this.greeted) continue
          const isHere = readMessage(memory, channel, (at) => accept(lane, from, channel, at))
          if (isHere) return true
        }
      }
      return false
    },
    barrier() {
      isAligning = true
      passBarriers()
    },
    get aligned() {
      return isAligning && lanes.every(isWhole)
    },
    resume() {
      isAligning = false
      for (const lane of lanes) {
        lane.passed = false
        for (const channel of lane.channels) if (channel !== undefined) channel.barred = false
      }
    },
  }
}

/** Hands the channel's next message on, if it is here. */
function readMessage(memory: LinearMemory, channel: Channel, take: (at: Pointer) => void): boolean {
  const { arena } = memory
  const mark = arena.mark()
  let at: Pointer = 0
  const isHere = channel.reader.read((bytes) => {
    at = arena.allocate(bytes)
    // It may just have grown.
    return memory.u8.subarray(at, at + bytes)
  })
  if (isHere) {
    channel.greeted = true
    take(at)
  }
  arena.release(mark)
  return isHere
}

function laneOf(options: ExchangesOptions, route: Route, number: number): Lane {
  const { worker, workers, memory, rings } = options
  const others = Array.from({ length: workers }, (_, other) => other).filter(
    (other) => other !== worker,
  )
  const outboxes = new Map(others.map((to) => [to, outboxOf(rings.out(number, to))]))
  const partition = partitioner(options, route)
  const travelling = travellingColumns(memory, route, () => {
    const { givenUs, watermarkUs } = options.dataflow()
    const [from, to] = [givenUs(route.from), watermarkUs(route.to)]
    return from > to ? from : to
  })
  let hasTold = false
  let made: ExchangedPartials | undefined
  const partials = (): ExchangedPartials => {
    made ??= partialsOf(options, route, (message) => {
      for (const outbox of outboxes.values()) outbox.send(message)
    })
    return made
  }
  return {
    route,
    outboxes: [...outboxes.values()],
    channels: Array.from({ length: workers }, (_, from) =>
      from === worker
        ? undefined
        : { reader: rings.in(number, from), greeted: false, barred: false },
    ),
    passed: false,
    hasTold: () => hasTold,
    partials,
    exchange: {
      channels: workers,
      send(batch) {
        const mark = memory.arena.mark()
        const isTimely = travelling.isTimely(batch)
        if (isTimely && partials().add(batch)) {
          memory.arena.release(mark)
          return
        }
        const columns = isTimely ? travelling.timely : undefined
        const parts = partition(batch)
        for (const [to, outbox] of outboxes) {
          const part = parts[to]!
          if (part.count === 0) continue
          const inner = memory.arena.mark()
          const { at, bytes } = encodeRows(memory, part, columns)
          outbox.send(memory.u8.subarray(at, at + bytes))
          memory.arena.release(inner)
        }
        const own = parts[worker]!
        if (own.count > 0) options.dataflow().receive(route.to, route.input, own)
        memory.arena.release(mark)
      },
      progress(told) {
        hasTold = true
        travelling.told(told)
        // Others may go on without a worker that is idle or has ended.
        partials().flush(told.idle || told.ended ? WATERMARK_MAX : told.watermarkUs)
        const message = progressMessage(told)
        for (const outbox of outboxes.values()) outbox.send(message)
        options.dataflow().receiveProgress(route.to, route.input, worker, told)
      },
    },
  }
}

function partialsOf(
  { memory, worker, workers, dataflow }: ExchangesOptions,
  { to }: Route,
  send: (message: Uint8Array) => void,
): ExchangedPartials {
  const reader = dataflow().operators.find(({ node }) => node.index === to)
  const groups = groupsOf(worker, workers)
  return exchangedPartials({ memory, partials: reader?.operator.partials, groups, send })
}

/** Parts a batch by the workers that own its rows' key groups. */
function partitioner(
  { workers, memory, context }: ExchangesOptions,
  { keys, schema, ...route }: Route,
): (batch: Batch) => readonly Batch[] {
  const evaluation = evaluationOf(context({ keys, schema, ...route }), schema)
  const compiled = compileProjection(keys, { memory })
  const hash = keyHasher(
    memory,
    keys.map(({ type }) => type),
  )
  const gather = gatherKernel(memory)
  return (given) => {
    const frame = evaluation.frameOf(given)
    const vectors = compiled.map((key) => key.evaluate(frame))
    const batch = evaluation.withoutFailed(given)
    const { selection, count } = batch
    const hashes = memory.arena.allocate(4 * count)
    hash(vectors, selection, count, hashes)
    const listBytes = 4 * count + GATHER_SLACK_BYTES
    const lists = Array.from({ length: workers }, () => memory.arena.allocate(listBytes))
    const ends = memory.arena.allocate(4 * workers)
    memory.u32.set(lists, ends / 4)
    gather.partition(hashes, selection, count, workers, ends)
    return lists.map((start, owner) => ({
      ...batch,
      selection: start,
      count: (memory.u32[ends / 4 + owner]! - start) / 4,
    }))
  }
}

function outboxOf(ring: RingWriter): Outbox {
  const waiting: Uint8Array[] = []
  let from = 0
  return {
    send(message) {
      const written = waiting.length > 0 ? 0 : ring.write(message, 0)
      if (written === message.length) return
      waiting.push(message.slice(written))
    },
    flush() {
      let moved = false
      while (waiting.length > 0) {
        const written = ring.write(waiting[0]!, from)
        if (written === 0) break
        moved = true
        from += written
        if (from < waiting[0]!.length) break
        waiting.shift()
        from = 0
      }
      return moved
    },
    get clear() {
      return waiting.length === 0
    },
  }
}

const PROGRESS_BYTES = 32
const IDLE = 1
const ENDED = 2

function progressMessage({ watermarkUs, idle, ended }: Progress): Uint8Array {
  const message = new DataView(new ArrayBuffer(PROGRESS_BYTES))
  message.setUint32(0, PROGRESS_BYTES, true)
  message.setUint32(4, MESSAGE.progress, true)
  message.setUint32(8, (idle ? IDLE : 0) | (ended ? ENDED : 0), true)
  message.setBigInt64(16, watermarkUs, true)
  return new Uint8Array(message.buffer)
}

function progressAt({ u32, i64 }: LinearMemory, at: Pointer): Progress {
  const flags = u32[at / 4 + 2]!
  return {
    watermarkUs: i64[at / 8 + 2]!,
    idle: (flags & IDLE) !== 0,
    ended: (flags & ENDED) !== 0,
  }
}

/** The key groups of a worker: those whose number times `workers` has it in its upper bits. */
export function groupsOf(
  worker: number,
  workers: number,
): { readonly groupStart: number; readonly groupEnd: number } {
  const first = (of: number): number => Math.ceil((of * KEY_GROUPS) / workers)
  return { groupStart: first(worker), groupEnd: first(worker + 1) }
}
