/**
 * GROUP BY without a window, and SELECT DISTINCT: a changelog.
 *
 *   in     +I and +U rows are added to their group, -U and -D rows taken from it
 *   out    once a group and batch, if its row has changed: +I when it appears, -U old and +U new, -D when its last row is gone
 *   state  an entry a group: the aggregates' cells, the count of its rows, the number of the batch that last touched it
 *
 * With one-row batches the changelog is Flink's, row for row; larger batches leave out what comes and goes within them.
 *
 * @throws COUNT_BELOW_ZERO if a row goes that never came (Flink ignores it: a stated difference)
 */
import type { AggregateSet } from '../../compile/aggregates/aggregate-set.ts'
import { compileAggregates } from '../../compile/aggregates/compile-aggregates.ts'
import type { CompiledExpression } from '../../compile/compiled.ts'
import { compileExpression, compilePredicate, compileProjection } from '../../compile/expression.ts'
import {
  type Batch,
  DELETE,
  INSERT,
  UPDATE_AFTER,
  UPDATE_BEFORE,
  type Vector,
} from '../../data/batch.ts'
import type { Pointer } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import { type GroupAggregate, schemaOf } from '../../plan/nodes.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { interleaved, sameRow, withOwnBytes } from './change-rows.ts'
import { type GroupTables, type GroupTablesMaker, groupTables } from './group-state.ts'

const TABLE = 'groups'

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
  /** Whether the group had rows before the batch. */
  readonly existed: readonly boolean[]
}

class Groups implements Operator {
  readonly name: string
  readonly #context: OperatorContext
  readonly #evaluation: Evaluation
  readonly #keys: readonly CompiledExpression[]
  readonly #aggregates: AggregateSet
  readonly #tables: GroupTablesMaker
  #state: GroupTables
  /** Byte offsets of our own cells within an entry. */
  readonly #rowsOffset: number
  readonly #touchOffset: number
  #batchNumber = 0n

  constructor(plan: GroupAggregate, context: OperatorContext, retracts: boolean) {
    const { memory } = context
    this.name = plan.aggregates.length === 0 ? 'distinct' : 'group-aggregate'
    this.#context = context
    this.#evaluation = evaluationOf(context, schemaOf(plan.input))
    this.#keys = compileProjection(plan.keys, { memory })
    this.#aggregates = compileAggregates(plan.aggregates, {
      memory,
      expression: (expression) => compileExpression(expression, { memory }),
      predicate: (expression) => compilePredicate(expression, { memory }),
      retracts,
    })
    const keyTypes = plan.keys.map(({ type }) => type)
    this.#tables = groupTables(memory, keyTypes, this.#aggregates, ['i64', 'i64'])
    this.#state = this.#tables.make()
    const own = this.#aggregates.values.length
    this.#rowsOffset = this.#state.groups.valueOffset(own)
    this.#touchOffset = this.#state.groups.valueOffset(own + 1)
  }

  onBatch(batch: Batch, emit: Emit): void {
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#keys.map((key) => key.evaluate(frame))
    const good = this.#evaluation.withoutFailed(batch)
    if (good.count === 0) return
    const touched = this.#touch(good, keys)
    const before = withOwnBytes(this.#context.memory, this.#rowsOf(touched), touched.count)
    const { added, taken } = this.#split(good)
    if (added.count > 0) this.#apply(added, keys, 1n)
    if (taken.count > 0) this.#apply(taken, keys, -1n)
    const changes = this.#changes(touched, before, this.#rowsOf(touched))
    if (good.count > 1) emit(changes)
    else emitOneByOne(changes, emit)
    this.#removeEmpty(touched)
  }

  onWatermark(): void {}
  onEnd(): void {}

  snapshot(writer: StateWriter): void {
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

  /** Entries of the batch's groups, each once, made where they are new. */
  #touch(batch: Batch, keys: readonly Vector[]): Touched {
    const { memory } = this.#context
    const { selection, count } = batch
    const all = memory.arena.allocate(4 * count)
    const unique = memory.arena.allocate(4 * count)
    this.#state.groups.upsert({ selection, count, keys }, all)
    this.#batchNumber++
    const existed: boolean[] = []
    for (let at = 0; at < count; at++) {
      const entry = memory.u32[all / 4 + at]!
      const touch = (entry + this.#touchOffset) / 8
      if (memory.i64[touch] === this.#batchNumber) continue
      memory.i64[touch] = this.#batchNumber
      memory.u32[unique / 4 + existed.length] = entry
      existed.push(memory.i64[(entry + this.#rowsOffset) / 8]! > 0n)
    }
    return { entries: unique, count: existed.length, existed }
  }

  #rowsOf({ entries, count }: Touched): readonly Vector[] {
    return [
      ...this.#state.groups.keysOf(entries, count),
      ...this.#aggregates.results(this.#state, entries, count),
    ]
  }

  #split(batch: Batch): { readonly added: Batch; readonly taken: Batch } {
    if (batch.kinds === 0) return { added: batch, taken: { ...batch, count: 0 } }
    const { memory } = this.#context
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
    return {
      added: { ...batch, selection: adds, count: addCount },
      taken: { ...batch, selection: takes, count: takeCount },
    }
  }

  #apply(batch: Batch, keys: readonly Vector[], sign: 1n | -1n): void {
    const { memory } = this.#context
    const { selection, count } = batch
    const entries = memory.arena.allocate(4 * count)
    this.#state.groups.upsert({ selection, count, keys }, entries)
    for (let at = 0; at < count; at++) {
      const rows = (memory.u32[entries / 4 + at]! + this.#rowsOffset) / 8
      memory.i64[rows] = memory.i64[rows]! + sign
    }
    const frame = this.#evaluation.frameOf(batch)
    if (sign === 1n) this.#aggregates.update(this.#state, frame, keys, entries)
    else this.#aggregates.retract(this.#state, frame, keys, entries)
  }

  #changes(touched: Touched, before: readonly Vector[], after: readonly Vector[]): Batch {
    const { memory } = this.#context
    const { count, existed } = touched
    const columns = interleaved(memory, before, after, count)
    const kinds = memory.arena.allocate(2 * count)
    const selection = memory.arena.allocate(8 * count)
    let emitted = 0
    const put = (row: number, kind: number): void => {
      memory.u8[kinds + row] = kind
      memory.u32[selection / 4 + emitted++] = row
    }
    for (let group = 0; group < count; group++) {
      const exists = this.#rowCount(touched, group) > 0n
      if (existed[group] && !exists) put(2 * group, DELETE)
      else if (!existed[group] && exists) put(2 * group + 1, INSERT)
      else if (exists && !sameRow(memory, before, after, group)) {
        put(2 * group, UPDATE_BEFORE)
        put(2 * group + 1, UPDATE_AFTER)
      }
    }
    return { rowCount: 2 * count, columns, kinds, selection, count: emitted }
  }

  #rowCount({ entries }: Touched, group: number): bigint {
    const { memory } = this.#context
    const rows = memory.i64[(memory.u32[entries / 4 + group]! + this.#rowsOffset) / 8]!
    if (rows < 0n) throw countBelowZero(this.#context.node, rows)
    return rows
  }

  #removeEmpty({ entries, count }: Touched): void {
    const { memory } = this.#context
    for (let group = 0; group < count; group++) {
      const entry = memory.u32[entries / 4 + group]!
      if (memory.i64[(entry + this.#rowsOffset) / 8] !== 0n) continue
      this.#aggregates.forget(this.#state, entries + 4 * group, 1)
      this.#state.groups.remove(entry)
    }
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
      for (let at = 0; at < count; at++) {
        const touch = memory.i64[(memory.u32[entries / 4 + at]! + this.#touchOffset) / 8]!
        if (touch > last) last = touch
      }
      cursor = next
    }
    memory.arena.release(mark)
    return last
  }
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
