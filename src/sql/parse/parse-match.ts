/** MATCH_RECOGNIZE (...): its clauses in their order, and the pattern. */
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type {
  AfterMatchSyntax,
  ExpressionSyntax,
  Identifier,
  MatchSyntax,
  PatternTermSyntax,
} from '../syntax.ts'
import {
  atName,
  atSymbol,
  atWords,
  type Cursor,
  commaSeparated,
  expectInteger,
  expectName,
  expectSymbol,
  expectWord,
  lastTaken,
  peek,
  takeSymbol,
  takeWords,
  unexpected,
} from './cursor.ts'
import { parseExpression } from './parse-expression.ts'
import { parseOrder } from './parse-over.ts'

/** The cursor is at MATCH_RECOGNIZE. @throws SQL_SYNTAX, SQL_UNSUPPORTED */
export function parseMatch(cursor: Cursor): MatchSyntax {
  expectWord(cursor, 'MATCH_RECOGNIZE', 'behind a table')
  const { at: start } = expectSymbol(cursor, '(', 'behind MATCH_RECOGNIZE')
  const partition = takeWords(cursor, 'PARTITION', 'BY')
    ? commaSeparated(cursor, () => parseExpression(cursor))
    : []
  const order = takeWords(cursor, 'ORDER', 'BY')
    ? commaSeparated(cursor, () => parseOrder(cursor, parseExpression))
    : []
  const measures = takeWords(cursor, 'MEASURES')
    ? commaSeparated(cursor, () => parseMeasure(cursor))
    : []
  const allRows = parseAllRows(cursor)
  const afterMatch = parseAfterMatch(cursor)
  expectWord(cursor, 'PATTERN', 'in MATCH_RECOGNIZE')
  const pattern = parsePattern(cursor)
  const within = takeWords(cursor, 'WITHIN') ? parseExpression(cursor) : undefined
  refuseSubset(cursor)
  const defines = takeWords(cursor, 'DEFINE')
    ? commaSeparated(cursor, () => parseDefine(cursor))
    : []
  expectSymbol(cursor, ')', 'to end MATCH_RECOGNIZE')
  return {
    partition,
    order,
    measures,
    ...(allRows && { allRows }),
    ...(afterMatch && { afterMatch }),
    pattern,
    ...(within && { within }),
    defines,
    at: spanning(start, lastTaken(cursor).at),
  }
}

function parseMeasure(cursor: Cursor): MatchSyntax['measures'][number] {
  const expression = parseExpression(cursor)
  expectWord(cursor, 'AS', 'and a name behind each measure')
  return { expression, alias: expectName(cursor, 'the name of a measure') }
}

function parseDefine(cursor: Cursor): {
  readonly variable: Identifier
  readonly condition: ExpressionSyntax
} {
  const variable = expectName(cursor, 'a variable of the pattern')
  expectWord(cursor, 'AS', 'and a condition behind the variable')
  return { variable, condition: parseExpression(cursor) }
}

function parseAllRows(cursor: Cursor): MatchSyntax['allRows'] {
  if (takeWords(cursor, 'ONE', 'ROW', 'PER', 'MATCH')) return undefined
  if (!takeWords(cursor, 'ALL', 'ROWS', 'PER', 'MATCH')) return undefined
  // Patterns that also match no rows are refused: there are no empty matches to show.
  if (takeWords(cursor, 'SHOW', 'EMPTY', 'MATCHES')) return { unmatched: false }
  if (takeWords(cursor, 'OMIT', 'EMPTY', 'MATCHES')) return { unmatched: false }
  return { unmatched: takeWords(cursor, 'WITH', 'UNMATCHED', 'ROWS') }
}

function refuseSubset(cursor: Cursor): void {
  if (!atWords(cursor, 'SUBSET')) return
  throw unsupported(
    peek(cursor).at,
    'SUBSET is not supported',
    'name each variable by itself: COALESCE(LAST(A.price), LAST(B.price))',
  )
}

function parseAfterMatch(cursor: Cursor): AfterMatchSyntax | undefined {
  const { at } = peek(cursor)
  if (!takeWords(cursor, 'AFTER', 'MATCH')) return undefined
  expectWord(cursor, 'SKIP', 'behind AFTER MATCH')
  const told = (kind: AfterMatchSyntax['kind'], variable?: Identifier): AfterMatchSyntax => ({
    kind,
    ...(variable && { variable }),
    at: spanning(at, lastTaken(cursor).at),
  })
  if (takeWords(cursor, 'PAST', 'LAST', 'ROW')) return told('past-last-row')
  expectWord(cursor, 'TO', 'NEXT ROW, TO FIRST or TO LAST behind SKIP')
  if (takeWords(cursor, 'NEXT', 'ROW')) return told('to-next-row')
  const isFirst = takeWords(cursor, 'FIRST')
  if (!isFirst) takeWords(cursor, 'LAST')
  return told(isFirst ? 'to-first' : 'to-last', expectName(cursor, 'a variable of the pattern'))
}

function parsePattern(cursor: Cursor): readonly PatternTermSyntax[] {
  expectSymbol(cursor, '(', 'behind PATTERN')
  const terms: PatternTermSyntax[] = []
  while (!atSymbol(cursor, ')')) terms.push(parseTerm(cursor))
  if (terms.length === 0) throw unexpected(cursor, 'a variable of the pattern')
  expectSymbol(cursor, ')', 'to end the pattern')
  return terms
}

function parseTerm(cursor: Cursor): PatternTermSyntax {
  const { at, text, upper } = peek(cursor)
  if (['(', '|', '{', '^', '$'].includes(text) || upper === 'PERMUTE')
    throw unsupported(
      at,
      `\`${upper || text}\` in a pattern is not supported`,
      'write variables one behind another, each with its quantifier: PATTERN (A B+ C?)',
    )
  if (!atName(cursor)) throw unexpected(cursor, 'a variable of the pattern')
  const variable = expectName(cursor, 'a variable of the pattern')
  const { least, most } = parseQuantifier(cursor)
  const isQuantified = least !== 1 || most !== 1
  const reluctant = isQuantified && takeSymbol(cursor, '?')
  const place = spanning(at, lastTaken(cursor).at)
  return { variable, least, ...(most === undefined ? {} : { most }), reluctant, at: place }
}

function parseQuantifier(cursor: Cursor): { readonly least: number; readonly most?: number } {
  const { at } = peek(cursor)
  if (takeSymbol(cursor, '*')) return { least: 0 }
  if (takeSymbol(cursor, '+')) return { least: 1 }
  if (takeSymbol(cursor, '?')) return { least: 0, most: 1 }
  if (!takeSymbol(cursor, '{')) return { least: 1, most: 1 }
  if (atSymbol(cursor, '-'))
    throw unsupported(
      at,
      'exclusions `{- ... -}` are not supported',
      'leave the variable out of MEASURES instead',
    )
  const least = atSymbol(cursor, ',') ? 0 : expectInteger(cursor, 'how many rows at least').value
  const isRange = takeSymbol(cursor, ',')
  const isOpen = isRange && atSymbol(cursor, '}')
  const most = !isRange
    ? least
    : isOpen
      ? undefined
      : expectInteger(cursor, 'how many rows at most').value
  expectSymbol(cursor, '}', 'to end the quantifier')
  if (most !== undefined && (most < least || most === 0))
    throw new SqlError('SQL_SYNTAX', spanning(at, lastTaken(cursor).at), {
      message: `a variable that matches ${least} to ${most} rows matches none`,
      hint: 'the second number is the greater one, and above zero: {2,4}',
    })
  return { least, ...(most === undefined ? {} : { most }) }
}

function unsupported(at: Place, message: string, hint: string): SqlError {
  return new SqlError('SQL_UNSUPPORTED', at, { message, hint })
}
