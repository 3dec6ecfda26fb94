/**
 * Columns that are computed beside a row, of other rows: OVER calls and subqueries. While expressions are bound they stand as
 * columns from LATE_COLUMNS on; once the rows are known they are attached to them, and get their place.
 */
import type { DataType } from '../../data/types.ts'
import { mapColumns } from '../../plan/columns.ts'
import type { Expression } from '../../plan/expressions.ts'
import type { PlanNode } from '../../plan/nodes.ts'
import { OUTER_COLUMNS } from '../../plan/outer-columns.ts'
import { attachOver, type BoundOver, type Placed } from './bind-over.ts'

const LATE_COLUMNS = 2_000_000

export interface Attached {
  /** The rows with columns behind their own. */
  readonly node: PlanNode
  /** Over them. */
  readonly value: Expression
}

export interface LateColumns {
  addOver(call: BoundOver): Expression
  add(type: DataType, attach: (node: PlanNode, placed: Placed) => Attached): Expression
  attachTo(node: PlanNode): { readonly node: PlanNode; readonly placed: Placed }
}

type Late =
  | { readonly kind: 'over'; readonly call: BoundOver }
  | { readonly kind: 'other'; attach(node: PlanNode, placed: Placed): Attached }

export function lateColumns(): LateColumns {
  const all: Late[] = []
  const add = (late: Late, type: DataType): Expression => ({
    kind: 'column',
    index: LATE_COLUMNS + all.push(late) - 1,
    type,
  })
  return {
    addOver: (call) => add({ kind: 'over', call }, call.call.type),
    add: (type, attach) => add({ kind: 'other', attach }, type),
    attachTo(node) {
      const places = new Map<number, Expression>()
      const placed: Placed = (expression) =>
        mapColumns(expression, (column) =>
          isLate(column.index) ? places.get(column.index - LATE_COLUMNS)! : column,
        )
      let rows = node
      for (const [index, late] of all.entries()) {
        if (late.kind !== 'other') continue
        const attached = late.attach(rows, placed)
        rows = attached.node
        places.set(index, attached.value)
      }
      const calls = all.flatMap((late, index) =>
        late.kind === 'over' ? [{ index, over: late.call }] : [],
      )
      return { node: attachOver(rows, calls, places, placed), placed }
    },
  }
}

/** True for what stands beside a row, of this query or the one around it: not for its own columns. */
export function isLate(index: number): boolean {
  return index >= LATE_COLUMNS && index < OUTER_COLUMNS
}
