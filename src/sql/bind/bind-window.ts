/** Window table functions. */
import { type Field, type Schema, types, withNullability } from '../../data/types.ts'
import type { Expression } from '../../plan/expressions.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { schemaOf, type WindowTable } from '../../plan/nodes.ts'
import { timeDomainOf } from '../../plan/time-attributes.ts'
import { WINDOW_COLUMNS } from '../../plan/window-columns.ts'
import type { Window } from '../../plan/windows.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { ExpressionSyntax, WindowSyntax } from '../syntax.ts'
import { bindExpression } from './bind-expression.ts'
import { type Relation, resolveReference } from './scope.ts'

/** @throws SQL_WINDOW_INVALID */
export function bindWindow(input: Relation, syntax: WindowSyntax, at: Place): Relation {
  const time = resolveReference(input, [syntax.time])
  if (syntax.partition.length > 0 && syntax.function !== 'SESSION') {
    throw invalid(
      syntax.partition[0]!.at,
      `${syntax.function} windows are the same for all rows: they have no PARTITION BY`,
      'leave it out, and group by the columns',
    )
  }
  const partition = syntax.partition.map((key) => bindExpression(key, { relation: input }))
  const window = windowOf(syntax, partition, at)
  const named: ExpressionSyntax = { kind: 'reference', parts: [syntax.time], at: syntax.time.at }
  return windowedRelation(input, time, named, window)
}

/** `input` with each row once a window of its `time`. @throws SQL_WINDOW_INVALID unless it is a time attribute */
export function windowedRelation(
  input: Relation,
  time: Expression,
  syntax: ExpressionSyntax,
  window: Window,
): Relation {
  const timeDomain = time.kind === 'column' ? timeDomainOf(input.node, time.index) : undefined
  if (time.kind !== 'column' || timeDomain === undefined) {
    const name = syntax.kind === 'reference' ? syntax.parts.at(-1)!.name : 'ts'
    throw invalid(
      syntax.at,
      `\`${name}\` is no event time: no watermark follows it`,
      `declare it in CREATE TABLE: WATERMARK FOR ${name} AS ${name} - INTERVAL '5' SECOND`,
    )
  }
  const schema = [...schemaOf(input.node), ...windowFields(time)]
  const node: WindowTable = {
    kind: 'window-table',
    input: input.node,
    window,
    time: time.index,
    ...(timeDomain === 'event' ? {} : { timeDomain }),
    schema,
  }
  const added = schema.slice(-WINDOW_COLUMNS).map(({ name }) => ({ name }))
  return { node, columns: [...input.columns, ...added] }
}

function windowFields(time: Expression): Schema {
  const bound: Field['type'] = withNullability(types.timestamp(3), false)
  return [
    { name: 'window_start', type: bound },
    { name: 'window_end', type: bound },
    { name: 'window_time', type: withNullability(time.type, false) },
  ]
}

/** @throws SQL_WINDOW_INVALID */
export function windowOf(
  syntax: Pick<WindowSyntax, 'function' | 'slide' | 'size' | 'offset'>,
  partition: readonly Expression[],
  at: Place,
): Window {
  const isSession = syntax.function === 'SESSION'
  const sizeUs = intervalUs(syntax.size, isSession ? 'gap of a session' : 'size of a window')
  const offsetUs = syntax.offset === undefined ? 0 : intervalUs(syntax.offset, 'offset of a window')
  if (sizeUs <= 0) {
    const what = isSession ? 'a session has a gap' : 'a window has a size'
    throw invalid(syntax.size.at, `${what} above zero`, 'write INTERVAL')
  }
  if (isSession) return { kind: 'session', gapUs: sizeUs, partition }
  if (syntax.function === 'TUMBLE') return { kind: 'tumble', sizeUs, offsetUs }
  const isHop = syntax.function === 'HOP'
  const what = isHop ? 'slide' : 'step'
  const stepUs =
    syntax.slide === undefined ? sizeUs : intervalUs(syntax.slide, `${what} of a window`)
  if (stepUs <= 0 || sizeUs % stepUs !== 0) {
    throw invalid(
      syntax.slide?.at ?? at,
      `the size of ${syntax.function} windows is a multiple of their ${what}`,
      `${syntax.function}(TABLE t, DESCRIPTOR(ts), ${what}, size): the ${what} comes first, as INTERVAL '2' SECOND, INTERVAL '10' SECOND`,
    )
  }
  return isHop
    ? { kind: 'hop', slideUs: stepUs, sizeUs, offsetUs }
    : { kind: 'cumulate', stepUs, sizeUs, offsetUs }
}

/** @throws SQL_WINDOW_INVALID */
export function intervalUs(syntax: ExpressionSyntax, what: string): number {
  const empty: Relation = { node: { kind: 'values', schema: [], rows: [] }, columns: [] }
  const bound = bindExpression(syntax, { relation: empty })
  if (bound.kind === 'literal' && bound.type.kind === 'interval_day_second')
    return Number(bound.value)
  throw invalid(
    syntax.at,
    `the ${what} is an interval of days to seconds, not ${typeText(bound.type)}`,
    "write INTERVAL '1' MINUTE",
  )
}

function invalid(at: Place, message: string, hint: string): SqlError {
  return new SqlError('SQL_WINDOW_INVALID', at, { message, hint })
}
