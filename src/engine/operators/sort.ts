/**
 * ORDER BY, LIMIT and OFFSET of a bounded query: rows are kept until the input ends. A changelog is folded first: what was taken
 * back is not there.
 */
import { compileProjection } from '../../compile/expression.ts'
import type { Value } from '../../compile/value.ts'
import { compareValues } from '../../compile/value-order.ts'
import { type Batch, DELETE, UPDATE_BEFORE } from '../../data/batch.ts'
import { selectedRows } from '../../data/values.ts'
import { type Sort, type SortKey, schemaOf } from '../../plan/nodes.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { batchOfRows, rowText, type ValueRow, valueRows } from '../value-rows.ts'

/** Rows emitted at a time. */
const EMIT_ROWS = 4096

interface Kept {
  readonly row: ValueRow
  readonly keys: readonly Value[]
}

export function sort(plan: Sort, context: OperatorContext): Operator {
  const { memory } = context
  const schema = schemaOf(plan)
  const evaluation = evaluationOf(context, schema)
  const keys = compileProjection(
    plan.keys.map(({ expression }) => expression),
    { memory },
  )
  let kept: Kept[] = []
  return {
    name: plan.keys.length === 0 ? 'limit' : 'sort',
    onBatch(batch) {
      const frame = evaluation.frameOf(batch)
      const keyColumns = keys.map((key) => key.evaluate(frame))
      const good = evaluation.withoutFailed(batch)
      const rows = valueRows(memory, good)
      const rowKeys = valueRows(memory, { ...good, columns: keyColumns })
      const taken = takenBack(good, [...selectedRows(memory, good)], memory.u8)
      rows.forEach((row, at) => {
        if (taken[at]) kept = without(kept, row)
        else kept.push({ row, keys: rowKeys[at]! })
      })
    },
    onWatermark() {},
    onEnd(emit) {
      emitRows(ordered(kept, plan), emit)
      kept = []
    },
    snapshot() {},
    restore() {},
    dispose() {
      kept = []
    },
  }

  function emitRows(rows: readonly ValueRow[], emit: Emit): void {
    for (let start = 0; start < rows.length; start += EMIT_ROWS) {
      const mark = memory.arena.mark()
      emit(batchOfRows(memory, schema, rows.slice(start, start + EMIT_ROWS)))
      memory.arena.release(mark)
    }
  }
}

function takenBack(batch: Batch, rows: readonly number[], u8: Uint8Array): boolean[] {
  return rows.map((row) => {
    const kind = batch.kinds === 0 ? 0 : u8[batch.kinds + row]!
    return kind === UPDATE_BEFORE || kind === DELETE
  })
}

function without(kept: Kept[], row: ValueRow): Kept[] {
  const text = rowText(row)
  const at = kept.findLastIndex((each) => rowText(each.row) === text)
  return at < 0 ? kept : kept.toSpliced(at, 1)
}

function ordered(kept: readonly Kept[], { keys, limit, offset = 0 }: Sort): ValueRow[] {
  const rows = keys.length === 0 ? kept : kept.toSorted((a, b) => compareRows(a, b, keys))
  return rows.slice(offset, limit === undefined ? undefined : offset + limit).map(({ row }) => row)
}

function compareRows(left: Kept, right: Kept, keys: readonly SortKey[]): number {
  for (const [index, { expression, descending, nullsFirst }] of keys.entries()) {
    const a = left.keys[index]!
    const b = right.keys[index]!
    if (a === null && b === null) continue
    if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1
    const order = compareValues(a, b, expression.type)
    if (order !== 0) return descending ? -order : order
  }
  return 0
}
