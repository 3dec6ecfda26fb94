/** Literals that begin with a word: DATE '2026-01-31', INTERVAL '5' MINUTE, TRUE, NULL. */
import { parseDate, parseTime, parseTimestamp } from '../../data/civil.ts'
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { type ExpressionSyntax, type LiteralSyntax, TIME_UNITS, type TimeUnit } from '../syntax.ts'
import {
  atSymbol,
  type Cursor,
  commaSeparated,
  expectInteger,
  expectString,
  expectSymbol,
  lastTaken,
  peek,
  take,
  takeSymbol,
  takeWords,
  unexpected,
} from './cursor.ts'

/** A literal, if one begins at the cursor. */
export function parseLiteral(cursor: Cursor): ExpressionSyntax | undefined {
  const token = peek(cursor)
  switch (token.kind) {
    case 'number':
      take(cursor)
      return literal(
        /[eE]/.test(token.text)
          ? { kind: 'approximate', text: token.text }
          : { kind: 'exact', text: token.text },
        token.at,
      )
    case 'string':
      return literal({ kind: 'string', value: adjacentText(cursor) }, token.at)
    case 'binary':
      take(cursor)
      return literal({ kind: 'binary', digits: token.text }, token.at)
    case 'word':
      return parseWordLiteral(cursor, token.upper, token.at)
    default:
      return undefined
  }
}

function literal(literal: LiteralSyntax, at: Place): ExpressionSyntax {
  return { kind: 'literal', literal, at }
}

/** 'a' 'b' is 'ab'. */
function adjacentText(cursor: Cursor): string {
  let text = ''
  while (peek(cursor).kind === 'string') text += take(cursor).text
  return text
}

function parseWordLiteral(cursor: Cursor, word: string, at: Place): ExpressionSyntax | undefined {
  switch (word) {
    case 'TRUE':
    case 'FALSE':
      take(cursor)
      return literal({ kind: 'boolean', value: word === 'TRUE' }, at)
    case 'UNKNOWN':
    case 'NULL':
      take(cursor)
      return literal({ kind: 'null' }, at)
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
      if (peek(cursor, 1).kind !== 'string') return undefined
      take(cursor)
      return parseMoment(cursor, word.toLowerCase() as 'date' | 'time' | 'timestamp', at)
    case 'INTERVAL':
      take(cursor)
      return parseInterval(cursor, at)
    default:
      return undefined
  }
}

const MOMENTS = {
  date: { parse: parseDate, form: "DATE '2026-01-31'" },
  time: { parse: parseTime, form: "TIME '23:59:59.999'" },
  timestamp: { parse: parseTimestamp, form: "TIMESTAMP '2026-01-31 23:59:59.999'" },
} as const

function parseMoment(cursor: Cursor, kind: keyof typeof MOMENTS, start: Place): ExpressionSyntax {
  const token = take(cursor)
  const text = token.text.trim()
  const at = spanning(start, token.at)
  if (MOMENTS[kind].parse(text) === undefined) {
    throw new SqlError('SQL_SYNTAX', token.at, {
      message: `'${token.text}' is not a ${kind.toUpperCase()}`,
      hint: `write it like ${MOMENTS[kind].form}`,
      facts: { text: token.text },
    })
  }
  return literal({ kind, text }, at)
}

/** [+ | -] 'text' unit [(precision)] [TO unit [(precision)]]. */
function parseInterval(cursor: Cursor, start: Place): ExpressionSyntax {
  const negative = takeSymbol(cursor, '-')
  if (!negative) takeSymbol(cursor, '+')
  const text = expectString(cursor, "the length of the interval in quotes: INTERVAL '5' MINUTE")
  const from = expectUnit(cursor)
  const to = takeWords(cursor, 'TO') ? expectUnit(cursor) : undefined
  const at = spanning(start, lastTaken(cursor).at)
  return literal(
    { kind: 'interval', negative, text: text.text, from, ...(to === undefined ? {} : { to }) },
    at,
  )
}

/** DAY, or DAYS. */
export function unitOf(word: string): TimeUnit | undefined {
  return TIME_UNITS.find((unit) => unit === word || `${unit}S` === word)
}

function expectUnit(cursor: Cursor): TimeUnit {
  const unit = unitOf(peek(cursor).upper)
  if (unit === undefined) throw unexpected(cursor, 'a unit of time such as MINUTE', TIME_UNITS)
  take(cursor)
  if (atSymbol(cursor, '(')) {
    take(cursor)
    commaSeparated(cursor, () => expectInteger(cursor, 'a number of digits'))
    expectSymbol(cursor, ')', 'behind the precision')
  }
  return unit
}
