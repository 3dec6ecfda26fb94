/**
 * Top-N within windows that rows already bear, and deduplication within them.
 *
 *   in     rows with their window in two columns
 *   out    +I the rows of numbers from .. to of each partition, when the watermark (or the clock) reaches the window's end less 1 ms
 *   state  row lists a window, dropped whole when it has fired: a partition's first N rows; all where rows are taken back
 *   side   rows of windows that have fired
 *
 * @see Flink, WindowRankProcessor and RowTimeWindowDeduplicateProcessor (of which the last row of those that tie is told)
 */
import { compileProjection } from '../../compile/expression.ts'
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type PlanNode, schemaOf, type WindowRank } from '../../plan/nodes.ts'
import { timeDomainOf } from '../../plan/time-attributes.ts'
import type { TimeDomain } from '../../plan/windows.ts'
import { rowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import { byClock } from './by-clock.ts'
import { type OpenWindows, openWindows, type WindowedInput } from './open-windows.ts'
import { noTies, UNMATCHED } from './rank.ts'
import { type SortColumns, sortColumns, sortOrder } from './sort-order.ts'
import { TopLists } from './top-lists.ts'

const WINDOW_NAME = /^window (-?\d+) (-?\d+)$/
/** Rows emitted at a time. */
const EMIT_ROWS = 4096
const SCAN_LISTS = 1024

interface Held {
  readonly rows: RowLists
  readonly top: TopLists
}

/** `retracts`: the input takes rows back. */
export function windowRank(
  plan: WindowRank,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
  retracts: boolean,
): Operator {
  if (plan.function !== 'ROW_NUMBER') throw noTies(plan.function)
  const windows = new WindowTop(plan, context, restoredWatermarkUs, retracts)
  return plan.timeDomain === 'processing' ? byClock(windows) : windows
}

class WindowTop implements Operator {
  readonly name: string
  readonly #plan: WindowRank
  readonly #context: OperatorContext
  readonly #memory: LinearMemory
  readonly #retracts: boolean
  readonly #evaluation: Evaluation
  readonly #partition: ReturnType<typeof compileProjection>
  readonly #columns: SortColumns
  readonly #input: WindowedInput
  readonly #lastOfTies: boolean
  readonly #open: OpenWindows<Held>

  constructor(plan: WindowRank, context: OperatorContext, watermarkUs: bigint, retracts: boolean) {
    const { memory } = context
    const schema = schemaOf(plan.input)
    this.name = `window-rank(${plan.to})`
    this.#plan = plan
    this.#context = context
    this.#memory = memory
    this.#retracts = retracts
    this.#evaluation = evaluationOf(context, schema)
    this.#partition = compileProjection(plan.partition, context)
    this.#columns = sortColumns(memory, schema, plan.order)
    const keys = plan.partition.map(({ type }) => type)
    const make = rowLists(memory, { keys, row: this.#columns.types, extras: 0 })
    this.#input = { schema, window: plan.window }
    this.#lastOfTies = isLastByTime(plan)
    this.#open = openWindows(
      context,
      watermarkUs,
      () => this.#held(make()),
      ({ rows }) => rows.dispose(),
    )
  }

  onBatch(batch: Batch): void {
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#partition.map((key) => key.evaluate(frame))
    const columns = this.#columns.of(frame)
    const good = { ...this.#evaluation.withoutFailed(batch), columns }
    this.#open.deal(good, this.#input, (held, rows) => this.#add(held, rows, keys))
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    this.#open.advance(watermarkUs, ({ held }) => this.#fire(held, emit))
  }

  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    for (const [name, { rows }] of this.#open.named())
      writer.table(`window ${name}`, (sink) => rows.writeChanges(sink))
  }

  restore(reader: StateReader): void {
    for (const name of reader.tables()) {
      const [, start, end] = WINDOW_NAME.exec(name) ?? []
      const source = reader.source(name)
      if (start === undefined || source === undefined) continue
      const { rows, top } = this.#open.restored(start, end!)
      rows.restore(source)
      top.ordered.sortAll(() => {})
    }
  }

  dispose(): void {
    this.#open.dispose()
  }

  progress(): WindowProgress {
    return this.#open.progress()
  }

  #held(rows: RowLists): Held {
    const top = new TopLists({
      memory: this.#memory,
      rows,
      order: sortOrder(this.#memory, this.#columns.keys, rows),
      lastOfTies: this.#lastOfTies,
      // Nothing is told before the window fires.
      changes: {
        touch() {},
        isIn: () => false,
        came() {},
        left() {},
        gone: (entry) => rows.remove(entry),
      },
      unmatched: () => this.#context.count(UNMATCHED, 1),
    })
    return { rows, top }
  }

  #add({ rows, top }: Held, batch: Batch, keys: readonly Vector[]): number {
    const { count, selection } = batch
    const lists = this.#memory.arena.allocate(4 * count)
    rows.lists({ count, selection, keys }, lists)
    const ends = (): number => this.#plan.to
    if (this.#retracts) top.addAndTake(batch, lists, ends)
    else top.addBetter(batch, lists, ends)
    return count
  }

  #fire({ rows }: Held, emit: Emit): void {
    const { arena } = this.#memory
    let entries: Pointer[] = []
    let numbers: number[] = []
    const flush = (): void => {
      this.#tell(rows, entries, numbers, emit)
      entries = []
      numbers = []
    }
    const mark = arena.mark()
    const lists = arena.allocate(4 * SCAN_LISTS)
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = rows.scan(cursor, lists, SCAN_LISTS)
      for (let at = 0; at < count; at++) {
        const list = this.#memory.u32[lists / 4 + at]!
        let number = 1
        for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry)) {
          if (number > this.#plan.to) break
          if (number >= this.#plan.from) {
            entries.push(entry)
            numbers.push(number)
          }
          number++
        }
        if (entries.length >= EMIT_ROWS) flush()
      }
      cursor = next
    }
    if (entries.length > 0) flush()
    arena.release(mark)
  }

  #tell(rows: RowLists, entries: readonly Pointer[], numbers: readonly number[], emit: Emit): void {
    const { arena } = this.#memory
    const { schema, outputsNumber } = this.#plan
    const mark = arena.mark()
    const count = entries.length
    const addresses = arena.allocate(4 * count)
    this.#memory.u32.set(entries, addresses / 4)
    const width = schemaOf(this.#plan.input).length
    const columns = rows.columnsOf(addresses, count).slice(0, width)
    if (outputsNumber) {
      const cells = arena.allocate(8 * count)
      for (let at = 0; at < count; at++) this.#memory.i64[cells / 8 + at] = BigInt(numbers[at]!)
      columns.push({ type: schema.at(-1)!.type, cells, validity: 0 })
    }
    emit({ rowCount: count, columns, kinds: 0, selection: 0, count })
    arena.release(mark)
  }
}

/** Deduplication that keeps the last row by time: of rows of one time the one that came last. */
function isLastByTime({ input, order, from, to, timeDomain = 'event' }: WindowRank): boolean {
  const [key, ...others] = order
  if (key === undefined || others.length > 0 || from !== 1 || to !== 1) return false
  const { expression, descending } = key
  return descending && expression.kind === 'column' && isTime(input, expression.index, timeDomain)
}

/** A window table function leaves window_time as the only time; here the one that it went by still counts, as in Flink. */
function isTime(node: PlanNode, index: number, domain: TimeDomain): boolean {
  if (timeDomainOf(node, index) === domain) return true
  if (node.kind === 'window-table') return index === node.time
  if (node.kind === 'filter') return isTime(node.input, index, domain)
  if (node.kind !== 'project') return false
  const expression = node.expressions[index]!
  return expression.kind === 'column' && isTime(node.input, expression.index, domain)
}
