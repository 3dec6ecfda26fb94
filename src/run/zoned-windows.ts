/**
 * Windows over TIMESTAMP_LTZ in the session's time zone: they are cut where its clocks stand, and window_start and window_end show
 * them, as in Flink. The engine's windows lie on instants, so the plan is changed: the grid is moved by what the clocks are ahead,
 * and the two columns are moved back where the window gives them.
 *
 * @see Flink, TimeWindowUtil.toUtcTimestampMills and toEpochMillsForTimer
 */
import { constantOffsetUs } from '../compile/zone.ts'
import { MillraceError } from '../errors.ts'
import type { Expression } from '../plan/expressions.ts'
import { inputsOf, withInputs } from '../plan/inputs.ts'
import {
  type PlanNode,
  type Project,
  schemaOf,
  type WindowAggregate,
  type WindowTable,
} from '../plan/nodes.ts'
import type { Window } from '../plan/windows.ts'

/**
 * The plan with its windows over TIMESTAMP_LTZ as clocks of `timeZone` cut them.
 * @throws SETTING_INVALID where clocks of the zone are changed, or where windows of windows would have to follow them
 */
export function zonedWindows(plan: PlanNode, timeZone: string): PlanNode {
  if (timeZone === 'UTC') return plan
  const visit = (node: PlanNode): PlanNode => {
    const inputs = inputsOf(node)
    const zoned = inputs.map(visit)
    const isSame = zoned.every((input, index) => input === inputs[index])
    if (!isSame && readsWindows(node)) throw windowsOfWindows(timeZone)
    const same = isSame ? node : withInputs(node, zoned)
    return isZoned(same) ? shifted(same, timeZone) : same
  }
  return visit(plan)
}

type Windowed = WindowTable | WindowAggregate

function isZoned(node: PlanNode): node is Windowed {
  if (node.kind !== 'window-table' && node.kind !== 'window-aggregate') return false
  if (node.window.kind === 'attached') return false
  return schemaOf(node.input)[node.time]!.type.kind === 'timestamp_ltz'
}

/** What compares window_end with the watermark. */
function readsWindows(node: PlanNode): boolean {
  if (node.kind === 'window-join' || node.kind === 'window-rank') return true
  return 'window' in node && 'kind' in node.window && node.window.kind === 'attached'
}

function shifted(node: Windowed, timeZone: string): PlanNode {
  const offsetUs = constantOffsetUs(timeZone)
  if (offsetUs === undefined) throw clocksChange(timeZone)
  if (offsetUs === 0) return node
  const schema = schemaOf(node)
  const start = schema.length - 3
  const expressions = schema.map(({ type }, index): Expression => {
    const column = { kind: 'column', index, type } as const
    if (index !== start && index !== start + 1) return column
    const interval = { kind: 'interval_day_second', nullable: false } as const
    const ahead = { kind: 'literal', value: `${offsetUs}`, type: interval } as const
    return { kind: 'call', function: 'PLUS', args: [column, ahead], type }
  })
  const moved = { ...node, window: movedBack(node.window, offsetUs) }
  return { kind: 'project', input: moved, expressions, schema } satisfies Project
}

function movedBack<Kind extends Window>(window: Kind, offsetUs: number): Kind {
  return 'offsetUs' in window ? { ...window, offsetUs: window.offsetUs - offsetUs } : window
}

function clocksChange(timeZone: string): MillraceError {
  return new MillraceError('SETTING_INVALID', {
    message: `windows over TIMESTAMP_LTZ follow the clocks of 'table.local-time-zone', and those of '${timeZone}' are changed in the year: that is not supported`,
    hint: "SET 'table.local-time-zone' = 'UTC' or a zone whose clocks stay ('+01:00'), or give the table a column AS CAST(... AS TIMESTAMP(3)) and the watermark to that",
    facts: { timeZone },
  })
}

function windowsOfWindows(timeZone: string): MillraceError {
  return new MillraceError('SETTING_INVALID', {
    message: `windows of windows over TIMESTAMP_LTZ are not supported in the time zone '${timeZone}'`,
    hint: "SET 'table.local-time-zone' = 'UTC', or give the table a column AS CAST(... AS TIMESTAMP(3)) and the watermark to that",
    facts: { timeZone },
  })
}
