/** TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset])) and HOP, arguments by place or by name. */
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { suggestion } from '../suggest.ts'
import type { ExpressionSyntax, Identifier, RelationSyntax } from '../syntax.ts'
import {
  atSymbol,
  type Cursor,
  expectName,
  expectSymbol,
  expectWord,
  lastTaken,
  peek,
  take,
  takeSymbol,
  takeWords,
} from './cursor.ts'
import { parseExpression } from './parse-expression.ts'
import { unsupported } from './unsupported.ts'

const PARAMETERS = {
  TUMBLE: ['DATA', 'TIMECOL', 'SIZE', 'OFFSET'],
  HOP: ['DATA', 'TIMECOL', 'SLIDE', 'SIZE', 'OFFSET'],
} as const

interface Arguments {
  input?: RelationSyntax
  time?: Identifier
  readonly durations: Map<string, ExpressionSyntax>
}

/** The cursor is at TABLE. @throws SQL_SYNTAX, SQL_UNSUPPORTED */
export function parseWindow(
  cursor: Cursor,
  tableArgument: (cursor: Cursor) => RelationSyntax,
): RelationSyntax {
  const start = take(cursor).at
  expectSymbol(cursor, '(', 'behind TABLE')
  const token = take(cursor)
  const name = token.upper
  if (name === 'CUMULATE' || name === 'SESSION') throw unsupported(`${name} window`, token.at)
  if (name !== 'TUMBLE' && name !== 'HOP') throw unsupported('TABLE FUNCTION', token.at)
  expectSymbol(cursor, '(', `behind ${name}`)
  const found: Arguments = { durations: new Map() }
  let position = 0
  do {
    const parameter = parameterName(cursor, PARAMETERS[name], position++)
    if (parameter === 'DATA') found.input = tableArgument(cursor)
    else if (parameter === 'TIMECOL') found.time = parseDescriptor(cursor)
    else found.durations.set(parameter, parseExpression(cursor))
  } while (takeSymbol(cursor, ','))
  expectSymbol(cursor, ')', `to end ${name}(...)`)
  expectSymbol(cursor, ')', 'to end TABLE(...)')
  return windowOf(name, found, spanning(start, lastTaken(cursor).at), token.at)
}

function windowOf(
  name: 'TUMBLE' | 'HOP',
  { input, time, durations }: Arguments,
  at: Place,
  nameAt: Place,
): RelationSyntax {
  const [size, slide, offset] = ['SIZE', 'SLIDE', 'OFFSET'].map((key) => durations.get(key))
  if (
    input === undefined ||
    time === undefined ||
    size === undefined ||
    (name === 'HOP' && slide === undefined)
  ) {
    const form = name === 'HOP' ? "INTERVAL '1' MINUTE, INTERVAL '5' MINUTE" : "INTERVAL '1' MINUTE"
    throw new SqlError('SQL_SYNTAX', nameAt, {
      message: `${name} has too few arguments`,
      hint: `write ${name}(TABLE t, DESCRIPTOR(time_column), ${form})`,
    })
  }
  const window = {
    function: name,
    input,
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
  const name = expectName(cursor, 'the time column')
  if (atSymbol(cursor, ','))
    throw new SqlError('SQL_SYNTAX', peek(cursor).at, {
      message: 'a window has one time column',
      hint: 'take away the others',
    })
  expectSymbol(cursor, ')', 'to end DESCRIPTOR')
  if (takeWords(cursor, 'PARTITION')) throw unsupported('SESSION window', lastTaken(cursor).at)
  return name
}
