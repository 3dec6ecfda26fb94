/**
 * Windows in GROUP BY, as Flink had them first: TUMBLE(ts, size), HOP(ts, slide, size), SESSION(ts, gap), and what tells of them,
 * TUMBLE_START and the like. They become a window table function beneath, and its columns keys.
 */
import type { Expression } from '../../plan/expressions.ts'
import { schemaOf } from '../../plan/nodes.ts'
import { WINDOW_COLUMNS } from '../../plan/window-columns.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { CallSyntax, ExpressionSyntax, GroupItem } from '../syntax.ts'
import { bindExpression } from './bind-expression.ts'
import { windowedRelation, windowOf } from './bind-window.ts'
import type { Relation } from './scope.ts'

export interface GroupWindow {
  readonly relation: Relation
  /** The other items. */
  readonly groupBy: readonly GroupItem[]
  /** The window's columns. */
  readonly keys: readonly Expression[]
  /** TUMBLE_START(...) and the like; undefined for other calls. */
  call(call: CallSyntax, at: Place): Expression | undefined
}

const FUNCTIONS = ['TUMBLE', 'HOP', 'SESSION'] as const
const TELLING = /^(TUMBLE|HOP|SESSION)_(START|END|ROWTIME|PROCTIME)$/
const WHICH: Readonly<Record<string, number>> = { START: 0, END: 1, ROWTIME: 2, PROCTIME: 2 }

/** undefined where no window stands in GROUP BY. @throws SQL_WINDOW_INVALID */
export function groupWindow(
  relation: Relation,
  groupBy: readonly GroupItem[],
): GroupWindow | undefined {
  const windows = groupBy.flatMap((item) => {
    const call = item.kind === 'plain' ? windowCall(item.expression) : undefined
    return call === undefined ? [] : [{ item, call }]
  })
  const [first, second] = windows
  if (first === undefined) return undefined
  if (second !== undefined)
    throw new SqlError('SQL_WINDOW_INVALID', second.call.at, {
      message: 'GROUP BY holds two windows',
      hint: 'group by one of them; the other in a query around',
    })
  const others = groupBy.filter((item) => item !== first.item)
  const windowed = bindGroupWindow(relation, first.call, others)
  const schema = schemaOf(windowed.node)
  const begin = schema.length - WINDOW_COLUMNS
  const column = (which: number): Expression => ({
    kind: 'column',
    index: begin + which,
    type: schema[begin + which]!.type,
  })
  const name = first.call.name
  return {
    // The window's columns bear no names here.
    relation: { node: windowed.node, columns: relation.columns },
    groupBy: others,
    keys: [0, 1, 2].map(column),
    call(call, at) {
      const match = TELLING.exec(call.name.name.toUpperCase())
      if (match === null) return undefined
      if (match[1] === name) return column(WHICH[match[2]!]!)
      throw new SqlError('SQL_WINDOW_INVALID', at, {
        message: `${call.name.name.toUpperCase()} tells of ${match[1]} windows, and GROUP BY has ${name}`,
        hint: `write ${name}_${match[2]}`,
      })
    },
  }
}

interface WindowCall {
  readonly name: (typeof FUNCTIONS)[number]
  readonly args: readonly ExpressionSyntax[]
  readonly at: Place
}

function windowCall(syntax: ExpressionSyntax): WindowCall | undefined {
  if (syntax.kind !== 'call') return undefined
  const name = FUNCTIONS.find((each) => each === syntax.call.name.name.toUpperCase())
  return name && { name, args: syntax.call.args, at: syntax.at }
}

function bindGroupWindow(
  relation: Relation,
  { name, args, at }: WindowCall,
  others: readonly GroupItem[],
): Relation {
  const [time, first, second, third] = args
  const count = name === 'HOP' ? 3 : 2
  if (
    time === undefined ||
    first === undefined ||
    args.length < count ||
    (third !== undefined && name !== 'HOP')
  ) {
    throw new SqlError('SQL_WINDOW_INVALID', at, {
      message: `${name} in GROUP BY takes ${count} arguments`,
      hint:
        name === 'HOP'
          ? "write HOP(ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE): the slide, then the size"
          : `write ${name}(ts, INTERVAL '1' MINUTE)`,
    })
  }
  const partition = others.flatMap((item) =>
    item.kind === 'plain' && name === 'SESSION'
      ? [bindExpression(item.expression, { relation })]
      : [],
  )
  const window = windowOf(
    name === 'HOP'
      ? { function: name, slide: first, size: second! }
      : { function: name, size: first },
    partition,
    at,
  )
  return windowedRelation(relation, bindExpression(time, { relation }), time, window)
}
