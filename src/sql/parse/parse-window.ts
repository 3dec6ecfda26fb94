/** TABLE(...): window table functions, their arguments by place or by name, and other table functions. */
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { suggestion } from '../suggest.ts'
import type { ExpressionSyntax, Identifier, RelationSyntax, WindowSyntax } from '../syntax.ts'
import {
  atSymbol,
  type Cursor,
  commaSeparated,
  expectName,
  expectSymbol,
  expectWord,
  lastTaken,
  peek,
  qualifiedName,
  take,
  takeSymbol,
  takeWords,
  unexpected,
} from './cursor.ts'
import { parseExpression } from './parse-expression.ts'
import { isProcessAhead, parseProcess } from './parse-process.ts'

type WindowFunction = WindowSyntax['function']

interface Form {
  readonly parameters: readonly string[]
  /** The parameters that `slide` and `size` of the syntax are. */
  readonly slide?: string
  readonly size: string
  readonly example: string
}

const FORMS: Readonly<Record<WindowFunction, Form>> = {
  TUMBLE: {
    parameters: ['DATA', 'TIMECOL', 'SIZE', 'OFFSET'],
    size: 'SIZE',
    example: "INTERVAL '1' MINUTE",
  },
  HOP: {
    parameters: ['DATA', 'TIMECOL', 'SLIDE', 'SIZE', 'OFFSET'],
    slide: 'SLIDE',
    size: 'SIZE',
    example: "INTERVAL '1' MINUTE, INTERVAL '5' MINUTE",
  },
  CUMULATE: {
    parameters: ['DATA', 'TIMECOL', 'STEP', 'SIZE', 'OFFSET'],
    slide: 'STEP',
    size: 'SIZE',
    example: "INTERVAL '1' HOUR, INTERVAL '1' DAY",
  },
  SESSION: {
    parameters: ['DATA', 'TIMECOL', 'GAP'],
    size: 'GAP',
    example: "INTERVAL '5' MINUTE",
  },
}

export const WINDOW_FUNCTIONS: readonly string[] = Object.keys(FORMS)

interface Arguments {
  input?: RelationSyntax
  partition: readonly ExpressionSyntax[]
  time?: Identifier
  readonly durations: Map<string, ExpressionSyntax>
}

/** The cursor is at TABLE. @throws SQL_SYNTAX */
export function parseTableCall(
  cursor: Cursor,
  tableArgument: (cursor: Cursor) => RelationSyntax,
): RelationSyntax {
  const start = take(cursor).at
  expectSymbol(cursor, '(', 'behind TABLE')
  const token = peek(cursor)
  if (!isWindowFunction(token.upper)) return parseFunction(cursor, start, tableArgument)
  take(cursor)
  const form = FORMS[token.upper]
  expectSymbol(cursor, '(', `behind ${token.upper}`)
  const found: Arguments = { partition: [], durations: new Map() }
  let position = 0
  do {
    const parameter = parameterName(cursor, form.parameters, position++)
    if (parameter === 'DATA') {
      found.input = tableArgument(cursor)
      found.partition = parsePartition(cursor)
    } else if (parameter === 'TIMECOL') found.time = parseDescriptor(cursor)
    else found.durations.set(parameter, parseExpression(cursor))
  } while (takeSymbol(cursor, ','))
  expectSymbol(cursor, ')', `to end ${token.upper}(...)`)
  expectSymbol(cursor, ')', 'to end TABLE(...)')
  return windowOf(token.upper, found, spanning(start, lastTaken(cursor).at), token.at)
}

function isWindowFunction(name: string): name is WindowFunction {
  return Object.hasOwn(FORMS, name)
}

function parseFunction(
  cursor: Cursor,
  start: Place,
  tableArgument: (cursor: Cursor) => RelationSyntax,
): RelationSyntax {
  const named = peek(cursor)
  if (isProcessAhead(cursor)) {
    const process = parseProcess(cursor, qualifiedName(cursor, 'a function'), tableArgument)
    expectSymbol(cursor, ')', 'to end TABLE(...)')
    return process
  }
  const call = parseExpression(cursor)
  if (call.kind !== 'call') {
    const hint = 'write TABLE(function(...)), or TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), ...))'
    throw new SqlError('SQL_SYNTAX', named.at, {
      message: 'TABLE(...) holds a call of a table function',
      hint,
    })
  }
  expectSymbol(cursor, ')', 'to end TABLE(...)')
  return { kind: 'function', call: call.call, at: spanning(start, lastTaken(cursor).at) }
}

/** PARTITION BY a, (b, c): only sessions take it, which the binder says. */
function parsePartition(cursor: Cursor): readonly ExpressionSyntax[] {
  if (!takeWords(cursor, 'PARTITION')) return []
  expectWord(cursor, 'BY', 'behind PARTITION')
  // A comma may end the argument: what follows is then no column.
  const keys: ExpressionSyntax[] = []
  do {
    keys.push(...rowItems(parseExpression(cursor)))
  } while (!isArgumentAhead(cursor) && takeSymbol(cursor, ','))
  return keys
}

function isArgumentAhead(cursor: Cursor): boolean {
  return peek(cursor, 1).upper === 'DESCRIPTOR' || atSymbol(cursor, '=>', 2)
}

function rowItems(expression: ExpressionSyntax): readonly ExpressionSyntax[] {
  return expression.kind === 'constructor' && expression.of === 'ROW'
    ? expression.items
    : [expression]
}

function windowOf(
  name: WindowFunction,
  { input, partition, time, durations }: Arguments,
  at: Place,
  nameAt: Place,
): RelationSyntax {
  const form = FORMS[name]
  const size = durations.get(form.size)
  const slide = form.slide === undefined ? undefined : durations.get(form.slide)
  const offset = durations.get('OFFSET')
  const isWhole = input !== undefined && time !== undefined && size !== undefined
  if (!isWhole || (form.slide !== undefined && slide === undefined)) {
    throw new SqlError('SQL_SYNTAX', nameAt, {
      message: `${name} has too few arguments`,
      hint: `write ${name}(TABLE t, DESCRIPTOR(time_column), ${form.example})`,
    })
  }
  const window = {
    function: name,
    input,
    partition,
    time,
    size,
    ...(slide && { slide }),
    ...(offset && { offset }),
  }
  return { kind: 'window', window, at }
}

function parameterName(cursor: Cursor, names: readonly string[], position: number): string {
  if (peek(cursor).kind === 'word' && atSymbol(cursor, '=>', 1)) {
    const { upper, at } = take(cursor)
    take(cursor)
    if (names.includes(upper)) return upper
    throw new SqlError('SQL_SYNTAX', at, {
      message: `there is no argument ${upper}`,
      hint: suggestion(upper, names, 'arguments'),
    })
  }
  const name = names[position]
  if (name !== undefined) return name
  throw new SqlError('SQL_SYNTAX', peek(cursor).at, {
    message: 'this is one argument too many',
    hint: `the arguments are ${names.join(', ')}`,
  })
}

function parseDescriptor(cursor: Cursor): Identifier {
  expectWord(cursor, 'DESCRIPTOR', 'around the time column: DESCRIPTOR(ts)')
  expectSymbol(cursor, '(', 'behind DESCRIPTOR')
  const names = commaSeparated(cursor, () => expectName(cursor, 'the time column'))
  if (names.length > 1)
    throw new SqlError('SQL_SYNTAX', names[1]!.at, {
      message: 'a window has one time column',
      hint: 'take away the others',
    })
  if (atSymbol(cursor, '.')) throw unexpected(cursor, ') behind the time column')
  expectSymbol(cursor, ')', 'to end DESCRIPTOR')
  return names[0]!
}
