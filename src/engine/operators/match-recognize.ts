/**
 * MATCH_RECOGNIZE, ONE ROW PER MATCH.
 *
 *   in     +I rows, each met by the watermark of those before it
 *   out    +I one row a match: the partition's columns, measures
 *   state  for each partition the rows that wait for the watermark, and those since the first row of a match that may still come;
 *          which runs there are follows from the rows
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
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { Timers } from '../../time/timers.ts'
import { WATERMARK_MAX } from '../../time/windows.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { lateTeller } from './late-teller.ts'
import { advance, endOf, type Run, resumeAt, rowsOfTerm, type Thread } from './pattern-runs.ts'
import { type EntriesOf, type PatternValues, patternValues } from './pattern-values.ts'
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

/** Rows of a partition that have been taken, from `first` on, and the runs that began among them. */
interface Partition {
  readonly list: Pointer
  first: number
  rows: Pointer[]
  runs: readonly Run[]
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
  readonly #tellLate: ReturnType<typeof lateTeller>
  readonly #timers = new Timers()
  readonly #partitions = new Map<Pointer, Partition>()
  #watermarkUs: bigint
  #arrivals = 0n

  constructor(plan: MatchRecognize, context: OperatorContext, watermarkUs: bigint) {
    const { memory } = context
    const schema = schemaOf(plan.input)
    this.#plan = plan
    this.#context = context
    this.#evaluation = evaluationOf(context, schema)
    this.#keys = compileProjection(plan.partition, { memory })
    this.#sorted = sortColumns(memory, schema, plan.order)
    this.#rows = memoryRowLists(memory, {
      keys: plan.partition.map(({ type }) => type),
      row: this.#sorted.types,
      extras: 2,
    })
    this.#order = sortOrder(memory, this.#sorted.keys, this.#rows)
    this.#values = patternValues(plan, context, this.#rows)
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
  }

  onEnd(emit: Emit): void {
    this.#takeDue(WATERMARK_MAX, emit)
  }

  snapshot(writer: StateWriter): void {
    writer.table(TABLE, (sink) => this.#rows.writeChanges(sink))
  }

  restore(reader: StateReader): void {
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
    const due: Pointer[] = []
    for (let entry = this.#timers.pop(untilUs); entry !== undefined; ) {
      due.push(entry)
      entry = this.#timers.pop(untilUs)
    }
    due.sort(this.#isByClock ? this.#byArrival : this.#byOrder)
    for (const entry of due) this.#take(entry, emit)
  }

  readonly #byArrival = (left: Pointer, right: Pointer): number =>
    Number(this.#read(left, ARRIVAL) - this.#read(right, ARRIVAL))

  readonly #byOrder = (left: Pointer, right: Pointer): number =>
    this.#order.compareEntries(left, right) || this.#byArrival(left, right)

  #take(entry: Pointer, emit: Emit): void {
    this.#write(entry, STATE, TAKEN)
    this.#rows.markDirty(entry)
    const partition = this.#partitionOf(this.#rows.listOf(entry))
    this.#advance(partition, entry, true)
    for (let run = partition.runs[0]; run?.match !== undefined; ) {
      this.#tell(partition, run, run.match, emit)
      run = partition.runs[0]
    }
    this.#forgetRows(partition)
  }

  #partitionOf(list: Pointer): Partition {
    let partition = this.#partitions.get(list)
    if (partition === undefined) {
      partition = { list, first: 0, rows: [], runs: [] }
      this.#partitions.set(list, partition)
    }
    return partition
  }

  #advance(partition: Partition, entry: Pointer, mayBegin: boolean): void {
    const row = partition.first + partition.rows.length
    partition.rows.push(entry)
    const alive = this.#within(partition, entry)
    const runs = mayBegin ? [...alive, { start: row, threads: [[]] }] : alive
    partition.runs = advance(runs, row, this.#plan.pattern, (term, run, thread) =>
      this.#values.fits(term, entry, this.#entriesOf(partition, run, withRow(thread, term))),
    )
  }

  /** Runs that began less than WITHIN before `entry`, and matches that wait. */
  #within({ runs, rows, first }: Partition, entry: Pointer): readonly Run[] {
    const { withinUs } = this.#plan
    if (withinUs === undefined) return runs
    const timeUs = this.#timeUs(entry)
    return runs.filter(
      ({ start, match }) =>
        match !== undefined || timeUs - this.#timeUs(rows[start - first]!) < BigInt(withinUs),
    )
  }

  #entriesOf({ rows, first }: Partition, run: Run, thread: Thread): EntriesOf {
    const { pattern } = this.#plan
    return (variable) => {
      const [from, end] =
        variable === undefined
          ? [run.start, endOf(run, thread)]
          : rowsOfTerm(
              run,
              thread,
              pattern.findIndex((term) => term.variable === variable),
            )
      return rows.slice(from - first, end - first)
    }
  }

  #tell(partition: Partition, run: Run, match: Thread, emit: Emit): void {
    const { arena } = this.#context.memory
    const mark = arena.mark()
    const row = this.#values.result(partition.list, this.#entriesOf(partition, run, match))
    if (row.count > 0) emit(row)
    arena.release(mark)
    const resume = resumeAt(run, match, this.#plan)
    for (const dropped of partition.runs) {
      if (dropped.start >= resume && dropped !== run) continue
      this.#bar(partition.rows[dropped.start - partition.first]!)
    }
    partition.runs = partition.runs.filter((each) => each.start >= resume && each !== run)
  }

  /** No match begins with this row any more, nor after a restart. */
  #bar(entry: Pointer): void {
    this.#write(entry, STATE, BARRED)
    this.#rows.markDirty(entry)
  }

  /** Rows before all runs are not needed any more. */
  #forgetRows(partition: Partition): void {
    const { runs, rows, first, list } = partition
    const needed = runs[0]?.start ?? first + rows.length
    for (const entry of rows.splice(0, needed - first)) this.#rows.remove(entry)
    partition.first = needed
    if (rows.length === 0) this.#partitions.delete(list)
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
    for (const entry of taken) this.#advance(partition, entry, this.#read(entry, STATE) !== BARRED)
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

/** `thread` with one row more, of term `term`. */
function withRow(thread: Thread, term: number): Thread {
  if (term < thread.length) return thread.with(term, thread[term]! + 1)
  return [...thread, ...Array.from({ length: term - thread.length }, () => 0), 1]
}
