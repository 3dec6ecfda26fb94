/** Columns of a query around: how a subquery's plan names them until it is made a join. */
import { collectColumns } from './columns.ts'
import type { Expression } from './expressions.ts'

/** They begin here: no node has so many of its own. */
export const OUTER_COLUMNS = 1_000_000_000

export function isOuter(expression: Expression): boolean {
  const columns = new Set<number>()
  collectColumns(expression, columns)
  return [...columns].some((column) => column >= OUTER_COLUMNS)
}
