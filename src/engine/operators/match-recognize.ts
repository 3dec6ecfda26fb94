/**
 * MATCH_RECOGNIZE.
 *
 *   in     +I rows, each met by the watermark of those before it
 *   out    +I one row a match, or each of its rows; those of no match too if they are asked for, once none can begin with them
 *   state  for each partition the rows that wait for the watermark, and those since the first row of a match that may still come, with
 *          as many before as PREV looks back; which runs there are follows from the rows. How many matches it had, if that is told
 *   side   rows behind the watermark
 *
 * @see Flink, CepOperator; pattern-runs.ts for the automaton
 */
import type { CompiledExpression } from '../../compile/compiled.ts'
import { compileProjection } from '../../compile/expression.ts'
import type { Batch } from '../../data/batch.ts'
import type { Pointer } from '../../data/memory.ts'
import { selectedRows } from '../../data/values.ts'
import { invariant } from '../../errors.ts'
import { type MatchRecognize, schemaOf } from '../../plan/nodes.ts'
import { reachOf } from '../../plan/patterns.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { Timers } from '../../time/timers.ts'
import { WATERMARK_MAX } from '../../time/windows.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { lateTeller } from './late-teller.ts'
import { type MatchNumbers, matchNumbers } from './match-numbers.ts'
import { matchRows } from './match-rows.ts'
import { advance, endOf, type Run, resumeAt, type Thread } from './pattern-runs.ts'
import { type PatternValues, patternValues } from './pattern-values.ts'
import { type SortColumns, type SortOrder, sortColumns, sortOrder } from './sort-order.ts'

const TABLE = 'rows'
const SCAN_LISTS = 1024

/** Extras of a row. */
const STATE = 0
const ARRIVAL = 1
const WAITS = 0n
const TAKEN = 1n
/** Taken, and no match may begin with it. */
const BARRED = 2n
/** Taken, and told: as part of a match, or as one of none. */
const TOLD = 4n

/** Rows of a partition that have been taken, from `first` on, and the runs that began among them. */
interface Partition {
  readonly list: Pointer
  first: number
  rows: Pointer[]
  /** Rows before it have been tried; those from it on wait for as many more as NEXT looks ahead. */
  tried: number
  /** No match that begins before it may still come. */
  decided: number
  runs: readonly Run[]
  /** When the first run will have taken too long; undefined if there is none, or no WITHIN. */
  lapsesUs?: bigint | undefined
}

export function matchRecognize(
  plan: MatchRecognize,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
): Operator {
  return new Matches(plan, context, restoredWatermarkUs)
}

class Matches implements Operator {
  readonly name = 'match-recognize'
  readonly #plan: MatchRecognize
  readonly #context: OperatorContext
  readonly #evaluation: Evaluation
  readonly #keys: readonly CompiledExpression[]
  readonly #sorted: SortColumns
  readonly #order: SortOrder
  readonly #rows: RowLists
  readonly #values: PatternValues
  readonly #reach: ReturnType<typeof reachOf>
  readonly #numbers: MatchNumbers | undefined
  readonly #tellLate: ReturnType<typeof lateTeller>
  readonly #timers = new Timers()
  /** Lists whose first run may have taken too long. */
  readonly #lapses = new Timers()
  readonly #partitions = new Map<Pointer, Partition>()
  #watermarkUs: bigint
  #arrivals = 0n

  constructor(plan: MatchRecognize, context: OperatorContext, watermarkUs: bigint) {
    const { memory } = context
    const schema = schemaOf(plan.input)
    this.#plan = plan
    this.#context = context
    this.#evaluation = evaluationOf(context, schema)
    this.#keys = compileProjection(plan.partition, context)
    this.#sorted = sortColumns(memory, schema, plan.order)
    this.#rows = memoryRowLists(memory, {
      keys: plan.partition.map(({ type }) => type),
      row: this.#sorted.types,
      extras: 2,
    })
    this.#order = sortOrder(memory, this.#sorted.keys, this.#rows)
    this.#values = patternValues(plan, context, this.#rows)
    this.#reach = reachOf(plan.references)
    this.#numbers = matchNumbers(plan, memory, this.#rows)
    this.#tellLate = lateTeller(context, schema, plan.time)
    this.#watermarkUs = watermarkUs
  }

  get #isByClock(): boolean {
    return this.#plan.timeDomain === 'processing'
  }

  onBatch(batch: Batch, emit: Emit): void {
    const { memory } = this.#context
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#keys.map((key) => key.evaluate(frame))
    const columns = this.#sorted.of(frame)
    const good = this.#inTime(this.#evaluation.withoutFailed(batch))
    const { selection, count } = good
    if (count === 0) return
    const lists = memory.arena.allocate(4 * count)
    const entries = memory.arena.allocate(4 * count)
    this.#rows.lists({ selection, count, keys }, lists)
    this.#rows.append({ ...good, columns }, lists, entries)
    for (let at = 0; at < count; at++) this.#arrived(memory.u32[entries / 4 + at]!)
    if (this.#isByClock) this.#takeAll(emit)
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    if (this.#isByClock) return
    this.#watermarkUs = watermarkUs
    this.#takeDue(watermarkUs, emit)
    this.#lapse(watermarkUs + 1n, emit)
  }

  onClock(nowUs: bigint, emit: Emit): void {
    if (this.#isByClock) this.#lapse(nowUs, emit)
  }

  onEnd(emit: Emit): void {
    this.#takeDue(WATERMARK_MAX, emit)
    for (const partition of [...this.#partitions.values()]) {
      this.#tryRows(partition, 0, emit)
      partition.runs = []
      this.#decide(partition, emit)
    }
  }

  snapshot(writer: StateWriter): void {
    writer.table(TABLE, (sink) => this.#rows.writeChanges(sink))
    this.#numbers?.snapshot(writer)
  }

  restore(reader: StateReader): void {
    this.#numbers?.restore(reader)
    const source = reader.source(TABLE)
    if (source === undefined) return
    this.#rows.restore(source)
    const { memory } = this.#context
    const mark = memory.arena.mark()
    const lists = memory.arena.allocate(4 * SCAN_LISTS)
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = this.#rows.scan(cursor, lists, SCAN_LISTS)
      for (let at = 0; at < count; at++) this.#remember(memory.u32[lists / 4 + at]!)
      cursor = next
    }
    memory.arena.release(mark)
  }

  dispose(): void {
    this.#rows.dispose()
    this.#numbers?.dispose()
  }

  /** The rows that are ahead of the watermark; others are told. */
  #inTime(batch: Batch): Batch {
    if (this.#isByClock) return batch
    const { memory } = this.#context
    const times = batch.columns[this.#plan.time]!.cells / 8
    const selection = memory.arena.allocate(4 * batch.count)
    let count = 0
    for (const row of selectedRows(memory, batch)) {
      if (memory.i64[times + row]! > this.#watermarkUs) memory.u32[selection / 4 + count++] = row
      else this.#tellLate(batch, row, this.#watermarkUs)
    }
    return count === batch.count ? batch : { ...batch, selection, count }
  }

  #arrived(entry: Pointer): void {
    this.#write(entry, ARRIVAL, this.#arrivals++)
    this.#timers.push(this.#timeUs(entry), entry)
  }

  /** By the clock, rows are taken as they come. */
  #takeAll(emit: Emit): void {
    this.#takeDue(WATERMARK_MAX, emit)
  }

  /** Takes the rows that time has passed, in their order. */
  #takeDue(untilUs: bigint, emit: Emit): void {
    const due = allDue(this.#timers, untilUs)
    due.sort(this.#isByClock ? this.#byArrival : this.#byOrder)
    for (const entry of due) this.#take(entry, emit)
  }

  readonly #byArrival = (left: Pointer, right: Pointer): number =>
    Number(this.#read(left, ARRIVAL) - this.#read(right, ARRIVAL))

  readonly #byOrder = (left: Pointer, right: Pointer): number =>
    this.#order.compareEntries(left, right) || this.#byArrival(left, right)

  #take(entry: Pointer, emit: Emit): void {
    this.#mark(entry, TAKEN)
    const partition = this.#partitionOf(this.#rows.listOf(entry))
    partition.rows.push(entry)
    this.#tryRows(partition, this.#reach.ahead, emit)
    this.#decide(partition, emit)
  }

  /** Tries the rows that have `ahead` others behind them. */
  #tryRows(partition: Partition, ahead: number, emit: Emit): void {
    while (partition.tried + ahead < endOfRows(partition)) {
      this.#advance(partition)
      this.#tellFirst(partition, emit)
    }
  }

  /** Tells the matches that no earlier run can forestall any more. */
  #tellFirst(partition: Partition, emit: Emit): void {
    for (let run = partition.runs[0]; run?.match !== undefined; ) {
      this.#tell(partition, run, run.match, emit)
      run = partition.runs[0]
    }
  }

  /** Ends the runs that would take too long with any row from `soonestUs` on. */
  #lapse(soonestUs: bigint, emit: Emit): void {
    for (const list of allDue(this.#lapses, soonestUs)) {
      const partition = this.#partitions.get(list)
      if (partition === undefined) continue
      partition.lapsesUs = undefined
      const next = partition.rows[partition.tried - partition.first]
      partition.runs = this.#within(partition, next === undefined ? soonestUs : this.#timeUs(next))
      this.#tellFirst(partition, emit)
      this.#decide(partition, emit)
    }
  }

  /** Looks at the partition again when its first run may have taken too long. */
  #awaitLapse(partition: Partition): void {
    const { withinUs } = this.#plan
    const [run] = partition.runs
    if (withinUs === undefined || run === undefined || partition.lapsesUs !== undefined) return
    partition.lapsesUs =
      this.#timeUs(partition.rows[run.start - partition.first]!) + BigInt(withinUs)
    this.#lapses.push(partition.lapsesUs, partition.list)
  }

  #partitionOf(list: Pointer): Partition {
    let partition = this.#partitions.get(list)
    if (partition === undefined) {
      partition = { list, first: 0, rows: [], tried: 0, decided: 0, runs: [] }
      this.#partitions.set(list, partition)
    }
    return partition
  }

  /** The next row that has not been tried. */
  #advance(partition: Partition): void {
    const row = partition.tried++
    const entry = partition.rows[row - partition.first]!
    const alive = this.#within(partition, this.#timeUs(entry))
    const isBarred = (this.#read(entry, STATE) & BARRED) !== 0n
    const runs = isBarred ? alive : [...alive, { start: row, threads: [[]] }]
    partition.runs = advance(runs, row, this.#plan.pattern, (term, run, thread) =>
      this.#values.fits(term, entry, matchRows(this.#plan, partition, run, withRow(thread, term))),
    )
  }

  /** Runs that began less than WITHIN before `timeUs`, and matches that wait. */
  #within({ runs, rows, first }: Partition, timeUs: bigint): readonly Run[] {
    const { withinUs } = this.#plan
    if (withinUs === undefined) return runs
    return runs.filter(
      ({ start, match }) =>
        match !== undefined || timeUs - this.#timeUs(rows[start - first]!) < BigInt(withinUs),
    )
  }

  #tell(partition: Partition, run: Run, match: Thread, emit: Emit): void {
    const end = endOf(run, match)
    const number = this.#numbers?.next(partition.list) ?? 0n
    const rowsTo = (row: number) => matchRows(this.#plan, partition, run, match, row, number)
    const whole = rowsTo(end)
    const { allRows } = this.#plan
    for (let row = allRows === undefined ? end - 1 : run.start; row < end; row++) {
      const entry = partition.rows[row - partition.first]!
      this.#give(emit, () => this.#values.result(partition.list, entry, rowsTo(row + 1), whole))
      if (allRows?.unmatched) this.#mark(entry, TOLD)
    }
    const resume = resumeAt(run, match, this.#plan)
    for (const dropped of partition.runs) {
      if (dropped.start >= resume && dropped !== run) continue
      this.#mark(partition.rows[dropped.start - partition.first]!, BARRED)
    }
    partition.runs = partition.runs.filter((each) => each.start >= resume && each !== run)
  }

  /** Tells rows that no match will have, and forgets those before all runs that PREV does not look back to. */
  #decide(partition: Partition, emit: Emit): void {
    const { list, rows, runs, first } = partition
    const decided = runs[0]?.start ?? partition.tried
    for (let row = partition.decided; row < decided; row++) {
      const entry = rows[row - first]!
      const isTold = (this.#read(entry, STATE) & TOLD) !== 0n
      if (this.#plan.allRows?.unmatched && !isTold)
        this.#give(emit, () => this.#values.unmatched(list, entry))
      // A run that has ended must not begin again when its rows are tried after a restart, without those before it.
      if (this.#reach.behind > 0) this.#mark(entry, BARRED | TOLD)
    }
    partition.decided = decided
    const kept = Math.max(first, decided - this.#reach.behind)
    for (const entry of rows.splice(0, kept - first)) this.#rows.remove(entry)
    partition.first = kept
    if (rows.length === 0) this.#partitions.delete(list)
    else this.#awaitLapse(partition)
  }

  #give(emit: Emit, rowOf: () => Batch): void {
    const { arena } = this.#context.memory
    const mark = arena.mark()
    const row = rowOf()
    if (row.count > 0) emit(row)
    arena.release(mark)
  }

  #mark(entry: Pointer, flag: bigint): void {
    this.#write(entry, STATE, this.#read(entry, STATE) | flag)
    this.#rows.markDirty(entry)
  }

  /** What waits, waits again; the runs of rows that were taken are found by taking them once more. */
  #remember(list: Pointer): void {
    const taken: Pointer[] = []
    for (let entry = this.#rows.first(list); entry !== 0; entry = this.#rows.next(entry)) {
      const arrival = this.#read(entry, ARRIVAL)
      if (arrival >= this.#arrivals) this.#arrivals = arrival + 1n
      if (this.#read(entry, STATE) === WAITS) this.#timers.push(this.#timeUs(entry), entry)
      else taken.push(entry)
    }
    if (taken.length === 0) return
    const partition = this.#partitionOf(list)
    taken.sort(this.#isByClock ? this.#byArrival : this.#byOrder)
    partition.rows = taken
    while (partition.tried + this.#reach.ahead < taken.length) this.#advance(partition)
    partition.decided = partition.runs[0]?.start ?? partition.tried
    this.#awaitLapse(partition)
    invariant(
      partition.runs[0]?.match === undefined,
      'a match is told in the step that makes it the first',
    )
  }

  #timeUs(entry: Pointer): bigint {
    const { i64 } = this.#context.memory
    return i64[(entry + this.#rows.cellOffset(this.#plan.time)) / 8]!
  }

  #read(entry: Pointer, extra: number): bigint {
    return this.#context.memory.i64[(entry + this.#rows.extraOffset(extra)) / 8]!
  }

  #write(entry: Pointer, extra: number, value: bigint): void {
    this.#context.memory.i64[(entry + this.#rows.extraOffset(extra)) / 8] = value
  }
}

function allDue(timers: Timers, untilUs: bigint): Pointer[] {
  const due: Pointer[] = []
  for (let each = timers.pop(untilUs); each !== undefined; each = timers.pop(untilUs))
    due.push(each)
  return due
}

function endOfRows({ first, rows }: Partition): number {
  return first + rows.length
}

/** `thread` with one row more, of term `term`. */
function withRow(thread: Thread, term: number): Thread {
  if (term < thread.length) return thread.with(term, thread[term]! + 1)
  return [...thread, ...Array.from({ length: term - thread.length }, () => 0), 1]
}
