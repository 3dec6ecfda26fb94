/**
 * FOR SYSTEM_TIME AS OF: each left row with the version of the right row that was valid at its time.
 *
 *   in     left: rows of any kind; right: versions, by their event time: +I and +U from then on, -D none from then on, -U nothing
 *   out    each left row, with its kind, when the watermark of both sides reaches its time; in the order of their coming
 *   state  left rows that wait; of each key the version that is valid at the watermark, and those after it
 *   side   a left row is late if it comes behind the watermark and meets no version (they may have been forgotten); a right row if a
 *          later version is valid at the watermark already
 *
 * @see Flink, TemporalRowTimeJoinOperator
 */
import { compilePredicate } from '../../compile/expression.ts'
import { type Batch, DELETE, UPDATE_BEFORE } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { schemaOf, type TemporalJoin } from '../../plan/nodes.ts'
import { pairedRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import { DueEntries } from '../../time/due-entries.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { type KeyedBatch, keyedBatches, listsOf, positionsWhere } from './join-side.ts'
import { nullVectors, rowsAt } from './joined-rows.ts'
import { lateTeller } from './late-teller.ts'
import { DUE_BUCKET_US, VERSION_EXTRAS, type Versions, versionsOf } from './versions.ts'

/** Left rows told at a time. */
const TOLD_ROWS = 4096
const SCAN_LISTS = 1024
/** The left side's extras: the row's kind, and LATE if it came behind the watermark; and that watermark. */
const KIND = 0
const LATE = 256
const WATERMARK = 1

export type VersionedJoin = TemporalJoin & { readonly rightTime: number }

export function temporalJoin(
  plan: VersionedJoin,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
): Operator {
  return new Temporal(plan, context, restoredWatermarkUs)
}

class Temporal implements Operator {
  readonly name: string
  readonly #plan: VersionedJoin
  readonly #memory: LinearMemory
  readonly #left: RowLists
  readonly #versions: Versions
  readonly #keyed: readonly [(batch: Batch) => KeyedBatch, (batch: Batch) => KeyedBatch]
  readonly #waiting: DueEntries
  readonly #evaluation: Evaluation
  readonly #condition: ReturnType<typeof compilePredicate> | undefined
  readonly #tellLate: readonly [ReturnType<typeof lateTeller>, ReturnType<typeof lateTeller>]
  readonly #timeOffset: number
  #watermarkUs: bigint

  constructor(plan: VersionedJoin, context: OperatorContext, watermarkUs: bigint) {
    this.name = `temporal-join(${plan.type})`
    this.#plan = plan
    const { memory } = context
    this.#memory = memory
    const types = (of: typeof plan.left) => schemaOf(of).map((field) => field.type)
    const keyTypes = plan.leftKeys.map((key) => key.type)
    const [left, right] = pairedRowLists(memory, keyTypes, [
      { row: types(plan.left), extras: 2 },
      { row: types(plan.right), extras: VERSION_EXTRAS },
    ])()
    this.#left = left
    this.#versions = versionsOf(memory, right, plan.rightTime)
    this.#keyed = [
      keyedBatches(plan.left, plan.leftKeys, context),
      keyedBatches(plan.right, plan.rightKeys, context),
    ]
    this.#timeOffset = left.cellOffset(plan.leftTime)
    this.#waiting = new DueEntries(DUE_BUCKET_US, (entry) => this.#timeOf(entry))
    this.#evaluation = evaluationOf(context, [...schemaOf(plan.left), ...schemaOf(plan.right)])
    this.#condition =
      plan.condition === undefined ? undefined : compilePredicate(plan.condition, context)
    this.#tellLate = [
      lateTeller(context, schemaOf(plan.left), plan.leftTime),
      lateTeller(context, schemaOf(plan.right), plan.rightTime),
    ]
    this.#watermarkUs = watermarkUs
  }

  onBatch(given: Batch, emit: Emit, input: number): void {
    const rows = this.#keyed[input === 0 ? 0 : 1](given)
    if (rows.batch.count === 0) return
    if (input === 0) this.#takeLeft(rows, emit)
    else this.#takeRights(rows)
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    this.#watermarkUs = watermarkUs
    const touched = new Set<Pointer>()
    const ready: Pointer[] = []
    this.#waiting.takeDue(watermarkUs, (entry) => {
      ready.push(entry)
      touched.add(this.#left.listOf(entry))
    })
    this.#versions.reached(watermarkUs, (list) => touched.add(list))
    ready.sort((a, b) => (this.#left.isOlder(a, b) ? -1 : 1))
    for (let from = 0; from < ready.length; from += TOLD_ROWS)
      this.#tell(ready.slice(from, from + TOLD_ROWS), emit)
    for (const list of touched) this.#versions.forget(list, watermarkUs)
  }

  onEnd(): void {}

  snapshot(writer: Parameters<Operator['snapshot']>[0]): void {
    writer.table('left', (sink) => this.#left.writeChanges(sink))
    writer.table('right', (sink) => this.#versions.rows.writeChanges(sink))
  }

  restore(reader: Parameters<Operator['restore']>[0]): void {
    const [left, right] = [reader.source('left'), reader.source('right')]
    if (left !== undefined) this.#left.restore(left)
    if (right !== undefined) this.#versions.rows.restore(right)
    this.#versions.sort()
    const memory = this.#memory
    const mark = memory.arena.mark()
    const lists = memory.arena.allocate(4 * SCAN_LISTS)
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = this.#left.scan(cursor, lists, SCAN_LISTS)
      for (let at = 0; at < count; at++) {
        const list = memory.u32[lists / 4 + at]!
        for (let entry = this.#left.first(list); entry !== 0; entry = this.#left.next(entry))
          this.#waiting.push(this.#timeOf(entry), entry)
      }
      cursor = next
    }
    memory.arena.release(mark)
  }

  dispose(): void {
    this.#left.dispose()
    this.#versions.rows.dispose()
  }

  #takeLeft({ batch, keys }: KeyedBatch, emit: Emit): void {
    const memory = this.#memory
    // Kinds are kept beside the rows: a row that goes waits like one that comes.
    const lists = listsOf(memory, { batch: { ...batch, kinds: 0 }, keys }, this.#left)
    const kept = positionsWhere(
      memory,
      batch,
      (_, position) => memory.u32[lists / 4 + position] !== 0,
    )
    const { count } = kept
    const of = memory.arena.allocate(4 * count)
    const entries = memory.arena.allocate(4 * count)
    for (let at = 0; at < count; at++)
      memory.u32[of / 4 + at] = memory.u32[lists / 4 + memory.u32[kept.positions / 4 + at]!]!
    if (count > 0) this.#left.append({ ...batch, selection: kept.rows, count }, of, entries)
    for (let at = 0; at < count; at++) {
      const entry = memory.u32[entries / 4 + at]!
      const row = memory.u32[kept.rows / 4 + at]!
      const kind = batch.kinds === 0 ? 0 : memory.u8[batch.kinds + row]!
      memory.u32[(entry + this.#left.extraOffset(KIND)) / 4] = kind
      const timeUs = this.#timeOf(entry)
      if (timeUs <= this.#watermarkUs) this.#noteLate(entry)
      this.#waiting.push(timeUs, entry)
    }
    if (count < batch.count && this.#plan.type === 'left') this.#tellKeyless(batch, lists, emit)
  }

  /** Rows without a key meet nothing: they need not wait. */
  #tellKeyless(batch: Batch, lists: Pointer, emit: Emit): void {
    const memory = this.#memory
    const alone = positionsWhere(
      memory,
      batch,
      (_, position) => memory.u32[lists / 4 + position] === 0,
    )
    const { count } = alone
    const kinds = batch.kinds === 0 ? 0 : memory.arena.allocate(count)
    for (let at = 0; kinds !== 0 && at < count; at++)
      memory.u8[kinds + at] = memory.u8[batch.kinds + memory.u32[alone.rows / 4 + at]!]!
    const columns = [
      ...rowsAt(memory, batch.columns, alone.rows, count),
      ...nullVectors(memory, schemaOf(this.#plan.right), count),
    ]
    emit({ rowCount: count, columns, kinds, selection: 0, count })
  }

  /** Rows behind the watermark one by one: each may supersede the next. */
  #takeRights({ batch, keys }: KeyedBatch): void {
    const memory = this.#memory
    const times = batch.columns[this.#plan.rightTime]!.cells / 8
    const late = positionsWhere(
      memory,
      batch,
      (row) => memory.i64[times + row]! <= this.#watermarkUs,
    )
    if (late.count === 0 || batch.count === 1) {
      this.#takeRight({ batch, keys })
      return
    }
    const all = positionsWhere(memory, batch, () => true)
    for (let at = 0; at < all.count; at++)
      this.#takeRight({ batch: { ...batch, selection: all.rows + 4 * at, count: 1 }, keys })
  }

  #takeRight({ batch, keys }: KeyedBatch): void {
    const memory = this.#memory
    const { kinds } = batch
    const kindOf = (row: number): number => (kinds === 0 ? 0 : memory.u8[kinds + row]!)
    const lists = listsOf(memory, { batch: { ...batch, kinds: 0 }, keys }, this.#versions.rows)
    const times = batch.columns[this.#plan.rightTime]!.cells / 8
    const isVersion = (row: number, position: number): boolean => {
      const list = memory.u32[lists / 4 + position]!
      if (list === 0 || kindOf(row) === UPDATE_BEFORE) return false
      const timeUs = memory.i64[times + row]!
      if (timeUs > this.#watermarkUs) return true
      if (!this.#versions.isSuperseded(list, timeUs + 1n, this.#watermarkUs)) return true
      this.#tellLate[1](batch, row, this.#watermarkUs)
      return false
    }
    const some = positionsWhere(memory, batch, isVersion)
    this.#versions.add(batch, some, lists, (row) => kindOf(row) === DELETE)
  }

  /** `ready` left entries with their versions, which then go. */
  #tell(ready: readonly Pointer[], emit: Emit): void {
    const memory = this.#memory
    const mark = memory.arena.mark()
    const count = ready.length
    const lefts = memory.arena.allocate(4 * count)
    const rights = memory.arena.allocate(4 * count)
    memory.u32.set(ready, lefts / 4)
    for (const [at, entry] of ready.entries())
      memory.u32[rights / 4 + at] = this.#versions.validAt(
        this.#left.listOf(entry),
        this.#timeOf(entry),
      )
    const columns = this.#left.columnsOf(lefts, count)
    this.#holdCondition(columns, rights, count)
    const selection = memory.arena.allocate(4 * count)
    const kinds = memory.arena.allocate(count)
    let told = 0
    for (const [at, entry] of ready.entries()) {
      const kind = memory.u32[(entry + this.#left.extraOffset(KIND)) / 4]!
      memory.u8[kinds + at] = kind
      const isMet = memory.u32[rights / 4 + at] !== 0
      if (isMet || this.#plan.type === 'left') memory.u32[selection / 4 + told++] = at
      else if (kind >= LATE) this.#tellLate[0]({ columns }, at, this.#watermarkOf(entry))
    }
    const both = [...columns, ...this.#versions.rows.columnsOf(rights, count)]
    if (told > 0) emit({ rowCount: count, columns: both, kinds, selection, count: told })
    for (const entry of ready) this.#left.remove(entry)
    memory.arena.release(mark)
  }

  /** Versions for which the condition does not hold are none. */
  #holdCondition(left: Batch['columns'], rights: Pointer, count: number): void {
    if (this.#condition === undefined) return
    const memory = this.#memory
    const columns = [...left, ...this.#versions.rows.columnsOf(rights, count)]
    const batch = { rowCount: count, columns, kinds: 0, selection: 0, count }
    const held = this.#condition.select(this.#evaluation.frameOf(batch))
    const good = this.#evaluation.withoutFailed({ ...batch, ...held })
    const isHeld = new Uint8Array(count)
    for (let at = 0; at < good.count; at++)
      isHeld[good.selection === 0 ? at : memory.u32[good.selection / 4 + at]!] = 1
    for (let at = 0; at < count; at++) if (isHeld[at] === 0) memory.u32[rights / 4 + at] = 0
  }

  #noteLate(entry: Pointer): void {
    const { u32, i64 } = this.#memory
    u32[(entry + this.#left.extraOffset(KIND)) / 4]! |= LATE
    i64[(entry + this.#left.extraOffset(WATERMARK)) / 8] = this.#watermarkUs
  }

  #watermarkOf(entry: Pointer): bigint {
    return this.#memory.i64[(entry + this.#left.extraOffset(WATERMARK)) / 8]!
  }

  #timeOf(entry: Pointer): bigint {
    return this.#memory.i64[(entry + this.#timeOffset) / 8]!
  }
}
