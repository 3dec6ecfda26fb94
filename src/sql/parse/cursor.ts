/** A cursor over tokens: looking, taking, expecting, and saying what was found instead. */
import { type Place, spanning } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { nearest } from '../suggest.ts'
import type { Identifier, QualifiedName, QuerySyntax } from '../syntax.ts'
import type { Token } from './lexer.ts'
import { isReserved } from './reserved.ts'
import { unsupported, unsupportedAt } from './unsupported.ts'

/** Expressions and queries nest no deeper: a bound of the parser's own stack. */
export const DEPTH_MAX = 200

export interface Cursor {
  readonly tokens: readonly Token[]
  /** Errors that did not stop the reading of a statement. */
  readonly errors: SqlError[]
  /** Reads a query: given, since queries are made of expressions and expressions of queries. */
  readonly query: (cursor: Cursor) => QuerySyntax
  position: number
  depth: number
}

export function peek(cursor: Cursor, ahead = 0): Token {
  const last = cursor.tokens.length - 1
  return cursor.tokens[Math.min(cursor.position + ahead, last)]!
}

export function take(cursor: Cursor): Token {
  const token = peek(cursor)
  if (token.kind !== 'end') cursor.position++
  return token
}

/** The token that was taken last. */
export function lastTaken(cursor: Cursor): Token {
  return cursor.tokens[Math.max(0, cursor.position - 1)]!
}

/** True if the next tokens are these keywords. */
export function atWords(cursor: Cursor, ...words: readonly string[]): boolean {
  return words.every((word, ahead) => peek(cursor, ahead).upper === word)
}

export function takeWords(cursor: Cursor, ...words: readonly string[]): boolean {
  if (!atWords(cursor, ...words)) return false
  cursor.position += words.length
  return true
}

export function atSymbol(cursor: Cursor, symbol: string, ahead = 0): boolean {
  const token = peek(cursor, ahead)
  return token.kind === 'symbol' && token.text === symbol
}

export function takeSymbol(cursor: Cursor, symbol: string): boolean {
  if (!atSymbol(cursor, symbol)) return false
  cursor.position++
  return true
}

export function expectSymbol(cursor: Cursor, symbol: string, context: string): Token {
  if (atSymbol(cursor, symbol)) return take(cursor)
  throw unexpected(cursor, `\`${symbol}\` ${context}`)
}

export function expectWord(cursor: Cursor, word: string, context: string): Token {
  if (atWords(cursor, word)) return take(cursor)
  throw unexpected(cursor, `${word} ${context}`, [word])
}

/** A name: a bare word that is not reserved, or anything in backquotes. */
export function expectName(cursor: Cursor, what: string): Identifier {
  const token = peek(cursor)
  if (token.kind === 'quoted') return nameOf(take(cursor))
  if (token.kind !== 'word') throw unexpected(cursor, what)
  if (!isReserved(token.text)) return nameOf(take(cursor))
  throw new SqlError('SQL_SYNTAX', token.at, {
    message: `expected ${what}, found the reserved word ${token.upper}`,
    hint: `a name that is a reserved word stands in backquotes: \`${token.text}\``,
    facts: { word: token.text },
  })
}

export function atName(cursor: Cursor): boolean {
  const token = peek(cursor)
  return token.kind === 'quoted' || (token.kind === 'word' && !isReserved(token.text))
}

export function nameOf(token: Token): Identifier {
  return { name: token.text, at: token.at }
}

export function qualifiedName(cursor: Cursor, what: string): QualifiedName {
  const parts = [expectName(cursor, what)]
  while (takeSymbol(cursor, '.')) parts.push(expectName(cursor, 'a name behind the point'))
  return { parts, at: spanning(parts[0]!.at, parts.at(-1)!.at) }
}

export function expectString(cursor: Cursor, what: string): Token {
  if (peek(cursor).kind === 'string') return take(cursor)
  const token = peek(cursor)
  const hint = token.kind === 'quoted' || token.kind === 'word' ? `'${token.text}'` : "'text'"
  throw unexpected(cursor, what, [], `text stands in single quotes: ${hint}`)
}

export function expectInteger(cursor: Cursor, what: string): { value: number; at: Place } {
  const token = peek(cursor)
  if (token.kind !== 'number' || !/^\d{1,10}$/.test(token.text)) throw unexpected(cursor, what)
  take(cursor)
  return { value: Number(token.text), at: token.at }
}

/** Items between commas; at least one. */
export function commaSeparated<Item>(cursor: Cursor, item: () => Item): Item[] {
  const items = [item()]
  while (takeSymbol(cursor, ',')) items.push(item())
  return items
}

export function parenthesised<Item>(cursor: Cursor, context: string, item: () => Item): Item[] {
  expectSymbol(cursor, '(', context)
  const items = commaSeparated(cursor, item)
  expectSymbol(cursor, ')', `to close the list ${context}`)
  return items
}

/** Runs `parse` one level deeper. @throws SQL_SYNTAX beyond DEPTH_MAX levels */
export function nested<Result>(cursor: Cursor, parse: () => Result): Result {
  if (cursor.depth >= DEPTH_MAX) {
    throw new SqlError('SQL_SYNTAX', peek(cursor).at, {
      message: `this is nested more than ${DEPTH_MAX} levels deep`,
      hint: 'split the query with views or WITH',
      facts: { depthMax: DEPTH_MAX },
    })
  }
  cursor.depth++
  try {
    return parse()
  } finally {
    cursor.depth--
  }
}

/** 'expected X, found Y', with the keyword that was perhaps meant. */
export function unexpected(
  cursor: Cursor,
  expected: string,
  words: readonly string[] = [],
  hint?: string,
): SqlError {
  const token = peek(cursor)
  const construct =
    hint === undefined ? unsupportedAt(signOf(token), lastTaken(cursor).upper) : undefined
  if (construct !== undefined) return unsupported(construct, token.at)
  const meant = token.kind === 'word' ? nearest(token.text, words) : undefined
  return new SqlError('SQL_SYNTAX', token.at, {
    message: `expected ${expected}, found ${describe(token)}`,
    hint: meant === undefined ? (hint ?? hintFor(token, expected)) : `did you mean ${meant}?`,
    facts: { found: token.text },
  })
}

function signOf(token: Token): string {
  return token.kind === 'symbol' ? token.text : token.upper
}

export function describe(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'the end of the text'
    case 'string':
      return `the text '${token.text.length > 30 ? `${token.text.slice(0, 30)}...` : token.text}'`
    case 'quoted':
      return `the name \`${token.text}\``
    case 'word':
      return isReserved(token.text) ? `the word ${token.upper}` : `\`${token.text}\``
    case 'hint':
      return 'a hint'
    case 'binary':
      return 'bytes'
    default:
      return `\`${token.text}\``
  }
}

function hintFor(token: Token, expected: string): string {
  if (token.kind === 'end') return `the text ends too early: write ${expected}`
  if (token.kind === 'symbol' && token.text === ';') {
    return `the statement ends too early: write ${expected} before the \`;\``
  }
  return `write ${expected} here`
}

/** Takes what stands between here and the parenthesis that closes the one at the cursor, both included. */
export function skipParentheses(cursor: Cursor): Place {
  const start = peek(cursor).at
  let depth = 0
  for (;;) {
    const token = peek(cursor)
    if (token.kind === 'end') break
    take(cursor)
    if (token.kind !== 'symbol') continue
    if (token.text === '(') depth++
    else if (token.text === ')' && --depth <= 0) break
  }
  return spanning(start, lastTaken(cursor).at)
}
