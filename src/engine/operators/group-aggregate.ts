/**
 * GROUP BY without a window, and SELECT DISTINCT: a changelog.
 *
 *   in     +I and +U rows are added to their group, -U and -D rows taken from it
 *   out    once a group and batch, if its row has changed: +I when it appears, -U old and +U new, -D when its last row is gone
 *   state  an entry a group: the aggregates' cells, the count of its rows, the number of the batch that last touched it
 *
 * With one-row batches the changelog is Flink's, row for row; larger batches leave out what comes and goes within them.
 *
 * @throws COUNT_BELOW_ZERO if a row goes that never came, unless groups expire (Flink ignores it: a stated difference)
 */
import type { AggregateSet } from '../../compile/aggregates/aggregate-set.ts'
import { compileAggregates } from '../../compile/aggregates/compile-aggregates.ts'
import type { CompiledExpression } from '../../compile/compiled.ts'
import { compileExpression, compilePredicate, compileProjection } from '../../compile/expression.ts'
import { type Batch, INSERT, UPDATE_AFTER, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import { aggregateKernel } from '../../kernels/aggregate.ts'
import { type GroupKernel, groupKernel } from '../../kernels/group.ts'
import { type GroupAggregate, schemaOf } from '../../plan/nodes.ts'
import type { ValueCell } from '../../state/keyed-table.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { changedRows, interleaved, withOwnBytes } from './change-rows.ts'
import { type GroupExpiry, groupExpiry } from './group-expiry.ts'
import { type GroupTables, type GroupTablesMaker, groupTables } from './group-state.ts'

const TABLE = 'groups'
/** The count of rows, and the number of the batch that last touched the entry; then when that was. */
const OWN: readonly ValueCell[] = ['i64', 'i64']
const EXPIRING: readonly ValueCell[] = [...OWN, 'i64']

/** `retracts`: the input takes rows back. */
export function groupAggregate(
  plan: GroupAggregate,
  context: OperatorContext,
  retracts: boolean,
): Operator {
  return new Groups(plan, context, retracts)
}

/** The groups that a batch touches. */
interface Touched {
  /** u32 entry addresses, each group once, in order of first touch. */
  readonly entries: Pointer
  readonly count: number
  /** u8: whether the group had rows before the batch. */
  readonly existed: Pointer
}

/** Rows that are all added, or all taken away, with the entries of their groups. */
interface Change {
  readonly rows: Batch
  readonly entries: Pointer
}

class Groups implements Operator {
  readonly name: string
  readonly #context: OperatorContext
  readonly #kernel: GroupKernel
  readonly #evaluation: Evaluation
  readonly #keys: readonly CompiledExpression[]
  readonly #aggregates: AggregateSet
  readonly #tables: GroupTablesMaker
  #state: GroupTables
  /** Byte offsets of our own cells within an entry. */
  readonly #rowsOffset: number
  readonly #touchOffset: number
  readonly #expiry: GroupExpiry | undefined
  #batchNumber = 0n

  constructor(plan: GroupAggregate, context: OperatorContext, retracts: boolean) {
    const { memory } = context
    this.name = plan.aggregates.length === 0 ? 'distinct' : 'group-aggregate'
    this.#context = context
    this.#kernel = groupKernel(memory)
    this.#evaluation = evaluationOf(context, schemaOf(plan.input))
    this.#keys = compileProjection(plan.keys, context)
    this.#aggregates = compileAggregates(plan.aggregates, {
      memory,
      expression: (expression) => compileExpression(expression, context),
      predicate: (expression) => compilePredicate(expression, context),
      retracts,
      setsAside: true,
    })
    const keyTypes = plan.keys.map(({ type }) => type)
    const { ttlUs } = plan
    const extra = ttlUs === undefined ? OWN : EXPIRING
    this.#tables = groupTables(memory, keyTypes, this.#aggregates, extra)
    this.#state = this.#tables.make()
    const own = this.#aggregates.values.length
    this.#rowsOffset = this.#state.groups.valueOffset(own)
    this.#touchOffset = this.#state.groups.valueOffset(own + 1)
    this.#expiry =
      ttlUs === undefined
        ? undefined
        : groupExpiry(
            memory,
            this.#aggregates,
            this.#tables,
            this.#state.groups.valueOffset(own + 2),
            BigInt(ttlUs),
            context.nowUs,
          )
  }

  onBatch(batch: Batch, emit: Emit): void {
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#keys.map((key) => key.evaluate(frame))
    const good = this.#evaluation.withoutFailed(batch)
    if (good.count === 0) return
    if (this.#expiry === undefined) this.#take(good, keys, emit)
    else this.#takeExpiring(this.#expiry, good, keys, emit)
  }

  #takeExpiring(expiry: GroupExpiry, rows: Batch, keys: readonly Vector[], emit: Emit): void {
    const isSingle = rows.count === 1 || rows.kinds === 0
    for (const piece of isSingle ? [rows] : oneByOne(this.#context.memory, rows)) {
      const known = expiry.before(this.#state, piece, keys)
      if (known.count > 0) this.#take(known, keys, emit)
    }
  }

  #take(good: Batch, keys: readonly Vector[], emit: Emit): void {
    const { memory } = this.#context
    const all = memory.arena.allocate(4 * good.count)
    this.#state.groups.upsert({ ...good, keys }, all)
    const touched = this.#touch(all, good.count)
    this.#expiry?.written(touched.entries, touched.count)
    const before = withOwnBytes(memory, this.#resultsOf(touched), touched.count)
    const { added, taken } = this.#split(good, all)
    if (added.rows.count > 0) this.#apply(added, keys, 1n)
    if (taken.rows.count > 0) this.#apply(taken, keys, -1n)
    const changes = this.#changes(touched, before, this.#resultsOf(touched))
    if (good.count > 1) emit(changes)
    else emitOneByOne(changes, emit)
    if (taken.rows.count > 0 || this.#aggregates.maySetAside) this.#removeEmpty(touched)
  }

  onWatermark(): void {}
  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    if (writer.isAhead !== true) this.#expiry?.sweep(this.#state)
    this.#tables.write(writer, TABLE, this.#state)
  }

  restore(reader: StateReader): void {
    const restored = this.#tables.read(reader, TABLE)
    if (restored === undefined) return
    this.#tables.dispose(this.#state)
    this.#state = restored
    this.#batchNumber = this.#lastBatchNumber()
  }

  dispose(): void {
    this.#tables.dispose(this.#state)
  }

  /** The groups among `entries`, each once. */
  #touch(entries: Pointer, count: number): Touched {
    const { arena } = this.#context.memory
    const unique = arena.allocate(4 * count)
    const existed = arena.allocate(count)
    const groups = this.#kernel.touchGroups(
      entries,
      count,
      this.#touchOffset,
      this.#rowsOffset,
      ++this.#batchNumber,
      unique,
      existed,
    )
    return { entries: unique, count: groups, existed }
  }

  #resultsOf({ entries, count }: Touched): readonly Vector[] {
    return this.#aggregates.results(this.#state, entries, count)
  }

  #split(batch: Batch, entries: Pointer): { readonly added: Change; readonly taken: Change } {
    const { memory } = this.#context
    if (batch.kinds === 0)
      return { added: { rows: batch, entries }, taken: { rows: { ...batch, count: 0 }, entries } }
    const adds = memory.arena.allocate(4 * batch.count)
    const takes = memory.arena.allocate(4 * batch.count)
    let addCount = 0
    let takeCount = 0
    for (let at = 0; at < batch.count; at++) {
      const row = batch.selection === 0 ? at : memory.u32[batch.selection / 4 + at]!
      const kind = memory.u8[batch.kinds + row]!
      if (kind === INSERT || kind === UPDATE_AFTER) memory.u32[adds / 4 + addCount++] = row
      else memory.u32[takes / 4 + takeCount++] = row
    }
    const part = (selection: Pointer, count: number): Change => {
      const narrowed = memory.arena.allocate(4 * count)
      aggregateKernel(memory).narrow(batch.selection, entries, selection, count, narrowed)
      return { rows: { ...batch, selection, count }, entries: narrowed }
    }
    return { added: part(adds, addCount), taken: part(takes, takeCount) }
  }

  #apply({ rows, entries }: Change, keys: readonly Vector[], sign: 1n | -1n): void {
    const frame = this.#evaluation.frameOf(rows)
    const way = sign === 1n ? 'update' : 'retract'
    const left = this.#aggregates[way](this.#state, frame, keys, entries)
    const counted = left ?? { count: rows.count, entries }
    const kernel = aggregateKernel(this.#context.memory)
    kernel.addCount(counted.entries, counted.count, this.#rowsOffset, sign)
    if (left !== undefined) this.#evaluation.withoutFailed(rows)
  }

  #changes(touched: Touched, before: readonly Vector[], after: readonly Vector[]): Batch {
    const { memory, node } = this.#context
    const { count, entries, existed } = touched
    const keys = this.#state.groups.keysOf(entries, count)
    const columns = interleaved(memory, [...keys, ...before], [...keys, ...after], count)
    const changed = changedRows(memory, before, after, count)
    const kinds = memory.arena.allocate(2 * count)
    const selection = memory.arena.allocate(8 * count + 8)
    const emitted = this.#kernel.changeRows(
      entries,
      count,
      this.#rowsOffset,
      existed,
      changed,
      kinds,
      selection,
    )
    if (emitted < 0) {
      const entry = memory.u32[entries / 4 - 1 - emitted]!
      throw countBelowZero(node, memory.i64[(entry + this.#rowsOffset) / 8]!)
    }
    return { rowCount: 2 * count, columns, kinds, selection, count: emitted }
  }

  #removeEmpty({ entries, count }: Touched): void {
    const { memory } = this.#context
    const empty = memory.arena.allocate(4 * count + 4)
    const found = this.#kernel.emptyGroups(entries, count, this.#rowsOffset, empty)
    this.#aggregates.forget(this.#state, empty, found)
    for (let at = 0; at < found; at++) this.#state.groups.remove(memory.u32[empty / 4 + at]!)
  }

  /** After a restore: batches are numbered on from the last that an entry remembers. */
  #lastBatchNumber(): bigint {
    const { memory } = this.#context
    const chunk = 1024
    const mark = memory.arena.mark()
    const entries = memory.arena.allocate(4 * chunk)
    let last = 0n
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = this.#state.groups.scan(cursor, entries, chunk)
      last = this.#kernel.greatestCell(entries, count, this.#touchOffset, last)
      cursor = next
    }
    memory.arena.release(mark)
    return last
  }
}

function* oneByOne(memory: LinearMemory, rows: Batch): Generator<Batch> {
  const selection = memory.arena.allocate(4 * rows.count)
  for (let at = 0; at < rows.count; at++)
    memory.u32[selection / 4 + at] =
      rows.selection === 0 ? at : memory.u32[rows.selection / 4 + at]!
  for (let at = 0; at < rows.count; at++) yield { ...rows, selection: selection + 4 * at, count: 1 }
}

/** What one row changed goes on as single rows: an aggregate above must not leave out what lies between. */
function emitOneByOne(changes: Batch, emit: Emit): void {
  for (let at = 0; at < changes.count; at++) {
    emit({ ...changes, selection: changes.selection + 4 * at, count: 1 })
  }
}

function countBelowZero(node: string, rows: bigint): MillraceError {
  return new MillraceError('COUNT_BELOW_ZERO', {
    message: `a group of ${node} has ${rows} rows: one was taken away that never came`,
    hint: 'the source retracts rows it never sent: check its changelog mode and primary key',
    facts: { node, rows },
  })
}
