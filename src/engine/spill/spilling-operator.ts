/**
 * An operator whose state need not fit into memory: its keys are cut into parts by their hash (part.ts), of which those that are asked
 * for most are in memory. Rows of the others wait, and are dealt with many at a time when their part comes in.
 *
 *   in      rows gather in an inbox; when it is full each goes to its part: at once where the part is in memory, else to its log
 *   turns   after each batch one part at most comes in: the one with most waiting rows once they are worth it, or the one whose rows
 *           have waited longest once they have waited long enough; with nothing to read, all of them, one after another
 *   fire    where the watermark makes something due, every part comes in
 *
 * Rows of one key keep their order; those of different keys do not, as between workers. What waits is part of every checkpoint.
 */
import type { Batch } from '../../data/batch.ts'
import type { Schema } from '../../data/types.ts'
import type { Clock } from '../../ports/clock.ts'
import { KEY_GROUPS } from '../../state/keyed-table.ts'
import type { SpillFile } from '../../state/spill-file.ts'
import { type SpilledTables, spilledReader, type TakenTables } from '../../state/spilled-tables.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, SpillProgress, WindowProgress } from '../operator.ts'
import { type DeferredChanges, deferredRows } from './deferred-rows.ts'
import { DEFERRED_TABLE, readDeferred, writeDeferred } from './deferred-table.ts'
import { type Inheritance, inherit } from './inheritance.ts'
import { Part } from './part.ts'
import { type KeyedInput, type PartRouter, partRouter, pieces } from './part-routes.ts'
import { writeParts } from './part-tables.ts'
import type { StateMemory } from './state-memory.ts'

const INBOX_ROWS_MAX = 8192
const BATCH_ROWS_MAX = 8192
const INBOX_BYTES = 8 << 20
/** Changes that are written ahead of a checkpoint at once. */
const AHEAD_BYTES = 1 << 19
/** Entries that must have changed in one part's table for it to be written ahead, as a share of those of a table that is not cut. */
const AHEAD_PARTS = 32
/** Of a part's score, at each distribution. */
const SCORE_KEPT = 0.975
const PART_STATE_BYTES = 300 << 10
const PARTS_MAX = 1024
/** A part comes in for waiting rows that take so many times the bytes of its state. */
const WORTH = 1.5
const WORTH_BYTES_MIN = 1 << 12
/** How much of the time may go into rows that have waited too long, though it is not worth it. */
const LATE_SHARE = 0.5
const LATE_WINDOW_MS = 10_000

export interface SpillingOptions {
  readonly context: OperatorContext
  readonly clock: Clock
  readonly file: SpillFile
  readonly pool: StateMemory
  /** By input. */
  readonly inputs: readonly KeyedInput[]
  /** Rows wait no longer than this while others are read, unless that takes more than half of the time. */
  readonly delayMs: number
  readonly watermarkUs: bigint
  make(watermarkUs: bigint): Operator
  /** Whether something is due when the watermark moves so. Absent: rows are answered when they come, and watermarks change nothing. */
  readonly fires?: (fromUs: bigint, toUs: bigint) => boolean
  faultPoint(name: string): void
}

/** How many parts: at five times the memory, one is about 1.5 MB. */
export function partsFor(bytesMax: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(bytesMax / PART_STATE_BYTES))
  return Math.min(Math.max(wanted, KEY_GROUPS), PARTS_MAX)
}

export function spillingOperator(options: SpillingOptions): Operator {
  return new Spilling(options)
}

class Spilling implements Operator {
  readonly name: string
  readonly onClock?: (nowUs: bigint, emit: Emit) => void
  readonly progress?: () => WindowProgress
  readonly #options: SpillingOptions
  readonly #partCount: number
  /** By number; a hole where there has been nothing. */
  readonly #parts: Part[] = []
  readonly #route: PartRouter
  readonly #inbox
  readonly #inboxRows: number
  readonly #schemas: readonly Schema[]
  #inheritance: Inheritance | undefined
  #watermarkUs: bigint
  /** Earlier checkpoints' tables count no more. */
  #replaces = false
  #replacesDeferred = false
  #late = { sinceMs: 0, spentMs: 0 }
  #pauseMs = 0
  /** The part whose changes are written ahead next. */
  #aheadNext = 0

  constructor(options: SpillingOptions) {
    const { context, file, pool, inputs, fires, watermarkUs } = options
    const { memory } = context
    this.#options = options
    this.#partCount = partsFor(pool.bytesMax)
    this.#watermarkUs = watermarkUs
    const { name, isWindowed } = this.#probe(({ name, progress }) => ({
      name,
      isWindowed: progress !== undefined,
    }))
    this.name = name
    if (isWindowed) this.progress = () => this.#windowProgress()
    this.#route = partRouter(context, inputs, this.#partCount)
    const schemas = inputs.map(({ schema }) => schema)
    const minds = fires !== undefined
    this.#inbox = deferredRows({
      memory,
      file,
      schemas,
      bufferBytes: INBOX_BYTES,
      minds,
      rowsMax: INBOX_ROWS_MAX,
    })
    this.#inboxRows = Math.max(1, Math.min(INBOX_ROWS_MAX, pool.bytesMax >> 8))
    this.#schemas = schemas
    if (fires !== undefined) return
    this.onClock = (_nowUs, emit) => {
      this.#turn(emit)
      this.#settle()
    }
  }

  onBatch(batch: Batch, emit: Emit, input: number): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const piece of pieces(this.#options.context, batch, BATCH_ROWS_MAX))
      this.#inbox.add(piece, input, this.#watermarkUs, nowMs)
    // One or the other: each may take long enough.
    if (this.#inbox.rows >= this.#inboxRows) this.#distribute(emit)
    else this.#turn(emit)
    this.#settle()
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    const { fires, pool } = this.#options
    if (fires === undefined || !fires(this.#watermarkUs, watermarkUs)) {
      this.#watermarkUs = watermarkUs
      return
    }
    this.#distribute(emit)
    for (const part of this.#residentsFirst()) {
      this.#timed(() => {
        part.reach(watermarkUs, emit)
        pool.settle()
      })
    }
    this.#watermarkUs = watermarkUs
  }

  onIdle(emit: Emit): boolean {
    if (this.#options.fires !== undefined) return false
    if (this.#inbox.rows > 0) {
      this.#distribute(emit)
      this.#settle()
      return true
    }
    const part = this.#live().find(({ log }) => log.rows > 0)
    if (part === undefined) return false
    this.#comeIn(part, emit)
    this.#settle()
    return true
  }

  onEnd(emit: Emit): void {
    while (this.onIdle(emit));
  }

  snapshot(writer: StateWriter): void {
    if (writer.isAhead === true) {
      this.#writeAhead(writer, writer.changesMin ?? 0)
      return
    }
    this.#distribute(undefined)
    writeParts(
      writer,
      this.#all().map((part) => part.changes(this.#replaces)),
      this.#replaces,
    )
    this.#replaces = false
    const logs = this.#parts.flatMap(({ log }, number) => [[number, log.changes()] as const])
    writeDeferred(writer, this.#schemas, this.#replacesDeferred, new Map(logs))
    this.#replacesDeferred = false
  }

  /** Of some parts, from where the last call stopped: about so much as takes a few milliseconds. */
  #writeAhead(writer: StateWriter, changesMin: number): void {
    // What is written anew counts only from a checkpoint on that has all of it.
    if (this.#replaces || this.#replacesDeferred) return
    const taken: TakenTables<Uint8Array>[] = []
    const deferred = new Map<number, DeferredChanges>()
    let bytes = 0
    for (let looked = 0; looked < this.#partCount && bytes < AHEAD_BYTES; looked++) {
      const number = this.#aheadNext
      this.#aheadNext = (number + 1) % this.#partCount
      const part = this.#parts[number]
      if (part === undefined) continue
      const changes = part.changesAhead(Math.ceil(changesMin / AHEAD_PARTS))
      const waiting = part.log.changesAhead()
      taken.push(changes)
      deferred.set(number, waiting)
      for (const { pieces } of changes.values()) for (const piece of pieces) bytes += piece.length
      for (const chunk of waiting.added) bytes += chunk.bytes.length
    }
    writeParts(writer, taken, false)
    writeDeferred(writer, this.#schemas, false, deferred)
  }

  restore(reader: StateReader): void {
    const { file } = this.#options
    const sources = reader
      .tables()
      .filter((name) => name !== DEFERRED_TABLE)
      .map((name) => ({ name, source: reader.source(name)! }))
    const [first] = sources
    const schemas: SpilledTables = new Map(
      sources.map(({ name, source: { schema } }) => [name, { schema, pieces: [] }]),
    )
    // State of another shape is refused now, not when its part comes into memory.
    this.#probe((operator) => operator.restore(spilledReader(file, schemas)))
    this.#inheritance = inherit(file, sources, this.#partCount)
    // First: a part that has such rows stands where they came.
    this.#replacesDeferred = readDeferred(
      reader,
      this.#options.context.memory,
      this.#schemas,
      (batch, input, watermarkUs) => this.#deal(batch, input, watermarkUs, undefined),
    )
    for (let number = 0; number < this.#partCount; number++) {
      if (this.#inheritance.of(number) !== undefined) this.#partOf(number, this.#watermarkUs)
    }
    if (first === undefined || first.source.continues) return
    // All of it is written anew, and only once that is done is what was read not needed any more.
    for (const part of this.#live()) part.visit()
    this.#replaces = true
  }

  dispose(): void {
    for (const part of this.#live()) part.dispose()
    this.#options.file.close()
  }

  #windowProgress(): WindowProgress {
    const all = this.#all().flatMap((part) => part.progress() ?? [])
    const ends = all.flatMap(({ nextEndUs }) => nextEndUs ?? [])
    const nextEndUs = ends.reduce((least, end) => (end < least ? end : least), ends[0] ?? 0n)
    return {
      openWindows: all.reduce((most, { openWindows }) => Math.max(most, openWindows), 0),
      ...(ends.length === 0 ? {} : { nextEndUs }),
      counted: all.reduce((sum, { counted }) => sum + counted, 0),
      late: all.reduce((sum, { late }) => sum + late, 0),
    }
  }

  spilled(): SpillProgress {
    const live = this.#live()
    const sum = (of: (part: Part) => number): number =>
      live.reduce((total, part) => total + of(part), 0)
    return {
      residentBytes: sum(({ bytesUsed }) => bytesUsed),
      spilledBytes: sum(({ bytesSpilled }) => bytesSpilled),
      waitingRows: sum(({ log }) => log.rows) + this.#inbox.rows,
      swaps: sum(({ swaps }) => swaps),
      pauseMsMax: this.#pauseMs,
    }
  }

  /** An operator that goes again. */
  #probe<Result>(look: (operator: Operator) => Result): Result {
    const { memory } = this.#options.context
    const scope = memory.scope()
    try {
      return memory.within(scope, () => {
        const operator = this.#options.make(this.#watermarkUs)
        const found = look(operator)
        operator.dispose()
        return found
      })
    } finally {
      memory.freeAll(scope)
    }
  }

  /** Rows of the inbox to their parts; without `emit` none is dealt with yet. */
  #distribute(emit: Emit | undefined): void {
    if (this.#inbox.rows === 0) return
    for (const part of this.#live()) part.score *= SCORE_KEPT
    this.#inbox.replay((batch, input, watermarkUs) => this.#deal(batch, input, watermarkUs, emit))
  }

  #deal(batch: Batch, input: number, watermarkUs: bigint, emit: Emit | undefined): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const { part: number, rows } of this.#route(batch, input)) {
      const part = this.#partOf(number, watermarkUs)
      part.score += rows.count
      const isIn = part.isResident || part.isEmpty
      if (emit === undefined || !isIn) part.log.add(rows, input, watermarkUs, nowMs)
      else this.#timed(() => part.take(rows, input, watermarkUs, emit))
    }
  }

  /** Lets a part in if its rows are worth it, or have waited too long. */
  #turn(emit: Emit): void {
    const { clock, delayMs } = this.#options
    const nowMs = clock.monotonicMs()
    let most: Part | undefined
    let oldest: Part | undefined
    for (const part of this.#live()) {
      const { log } = part
      if (log.sinceMs === undefined) continue
      if (most === undefined || log.bytes > most.log.bytes) most = part
      if (oldest === undefined || log.sinceMs < oldest.log.sinceMs!) oldest = part
    }
    if (most === undefined || oldest === undefined) return
    if (most.log.bytes > WORTH * most.bytesSpilled + WORTH_BYTES_MIN) this.#comeIn(most, emit)
    else if (this.#options.fires === undefined && nowMs - oldest.log.sinceMs! >= delayMs)
      this.#comeInLate(oldest, nowMs, emit)
  }

  #comeInLate(part: Part, nowMs: number, emit: Emit): void {
    const { clock } = this.#options
    if (nowMs - this.#late.sinceMs > LATE_WINDOW_MS) this.#late = { sinceMs: nowMs, spentMs: 0 }
    if (this.#late.spentMs > LATE_SHARE * (nowMs - this.#late.sinceMs)) return
    this.#comeIn(part, emit)
    this.#late.spentMs += clock.monotonicMs() - nowMs
  }

  #comeIn(part: Part, emit: Emit): void {
    this.#timed(() => part.settle(emit))
  }

  #settle(): void {
    this.#timed(() => this.#options.pool.settle())
  }

  #timed(work: () => void): void {
    const { clock } = this.#options
    const startMs = clock.monotonicMs()
    work()
    this.#pauseMs = Math.max(this.#pauseMs, clock.monotonicMs() - startMs)
  }

  /** Also those of which only a checkpoint has to be told that they are empty. */
  #all(): readonly Part[] {
    // Holes are left out.
    return this.#parts.filter(() => true)
  }

  #live(): readonly Part[] {
    return this.#parts.filter((part) => !part.isEmpty)
  }

  #residentsFirst(): readonly Part[] {
    const live = this.#live()
    return [...live.filter((part) => part.isResident), ...live.filter((part) => !part.isResident)]
  }

  #partOf(number: number, watermarkUs: bigint): Part {
    const known = this.#parts[number] ?? this.#made(number, watermarkUs)
    this.#parts[number] = known
    return known
  }

  #made(number: number, watermarkUs: bigint): Part {
    const { context, file, pool, inputs, fires, make, faultPoint } = this.#options
    const { memory } = context
    const minds = fires !== undefined
    const inherited = this.#inheritance?.of(number)
    const bufferBytes = Math.min(Math.max(pool.bytesMax / (8 * this.#partCount), 1024), 65_000)
    const schemas = inputs.map(({ schema }) => schema)
    return new Part({
      memory,
      file,
      pool,
      make,
      log: deferredRows({ memory, file, schemas, bufferBytes, minds }),
      watermarkUs,
      minds,
      ...(inherited === undefined ? {} : { inherited }),
      faultPoint,
    })
  }
}
