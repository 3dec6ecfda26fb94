/** SQL text to tokens. It never fails: what is no token is told as an error, and reading goes on behind it. */
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'

export interface Token {
  /**
   * `word` is a bare identifier or keyword, `quoted` one in backquotes, `string` in single quotes, `binary` x'..',
   * `number` digits, `hint` the inside of a hint, `symbol` an operator or punctuation, `end` the end of the text.
   */
  readonly kind: 'word' | 'quoted' | 'string' | 'binary' | 'number' | 'hint' | 'symbol' | 'end'
  /** The text; of quoted things, what they hold. */
  readonly text: string
  /** `text` in upper case, for words; '' for all others, so that a quoted name is never a keyword. */
  readonly upper: string
  readonly at: Place
}

export interface Lexed {
  /** At least one: the last is `end`. */
  readonly tokens: readonly Token[]
  readonly errors: readonly SqlError[]
}

const SYMBOLS = ['<=', '>=', '<>', '!=', '||', '=>', '->', '::']
const SINGLE = new Set('()[]{},;.=<>+-*/%:?|^&'.split(''))
const SPACE = /[\s\uFEFF]+/uy
const WORD = /[\p{L}_$][\p{L}\p{N}\p{M}_$]*/uy
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y

interface Scanner {
  readonly text: string
  readonly tokens: Token[]
  readonly errors: SqlError[]
  at: number
  line: number
  lineStart: number
}

export function lex(text: string): Lexed {
  const scanner: Scanner = { text, tokens: [], errors: [], at: 0, line: 1, lineStart: 0 }
  while (scanner.at < text.length) scanOne(scanner)
  push(scanner, 'end', '', 0)
  return { tokens: scanner.tokens, errors: scanner.errors }
}

function scanOne(scanner: Scanner): void {
  const { text, at } = scanner
  const char = text[at]!
  const pair = text.slice(at, at + 2)
  const space = match(SPACE, text, at)
  if (space > 0) advance(scanner, space)
  else if (pair === '--') advance(scanner, lineLength(text, at))
  else if (pair === '/*') scanComment(scanner)
  else if (char === "'") scanQuoted(scanner, "'", 'string', 0)
  else if (char === '`') scanQuoted(scanner, '`', 'quoted', 0)
  else if (char === '"') scanDoubleQuoted(scanner)
  else if (pair === "x'" || pair === "X'") scanBinary(scanner)
  else scanPlain(scanner, char, pair)
}

function scanPlain(scanner: Scanner, char: string, pair: string): void {
  const { text, at } = scanner
  const word = match(WORD, text, at)
  const number = match(NUMBER, text, at)
  if (word > 0) push(scanner, 'word', text.slice(at, at + word), word)
  else if (number > 0) push(scanner, 'number', text.slice(at, at + number), number)
  else if (SYMBOLS.includes(pair)) push(scanner, 'symbol', pair, 2)
  else if (SINGLE.has(char)) push(scanner, 'symbol', char, 1)
  else scanUnknown(scanner, String.fromCodePoint(text.codePointAt(at)!))
}

function scanUnknown(scanner: Scanner, unknown: string): void {
  complain(scanner, unknown.length, {
    message: `the character ${JSON.stringify(unknown)} means nothing in SQL`,
    hint: 'put names with unusual characters in backquotes, and text in single quotes',
  })
  advance(scanner, unknown.length)
}

function scanComment(scanner: Scanner): void {
  const { text, at } = scanner
  const end = text.indexOf('*/', at + 2)
  if (end < 0) {
    complain(scanner, 2, { message: 'this comment does not end', hint: 'close it with */' })
    advance(scanner, text.length - at)
    return
  }
  const length = end + 2 - at
  if (text[at + 2] === '+') push(scanner, 'hint', text.slice(at + 3, end), length)
  else advance(scanner, length)
}

function scanQuoted(
  scanner: Scanner,
  quote: string,
  kind: 'string' | 'quoted' | 'binary',
  prefix: number,
): void {
  const { text, at } = scanner
  let end = at + prefix + 1
  for (;;) {
    end = text.indexOf(quote, end)
    if (end < 0) {
      scanUnended(scanner, quote)
      return
    }
    if (text[end + 1] !== quote) break
    end += 2
  }
  const inside = text.slice(at + prefix + 1, end).replaceAll(quote + quote, quote)
  if (kind === 'quoted' && inside === '') {
    complain(scanner, 2, {
      message: 'a name is empty',
      hint: 'write a name between the backquotes',
    })
  }
  push(scanner, kind, inside, end + 1 - at)
}

/** Unended text is taken to end with its line, so that the rest of the file can be read. */
function scanUnended(scanner: Scanner, quote: string): void {
  const length = Math.max(1, lineLength(scanner.text, scanner.at))
  const what = quote === "'" ? 'text' : 'name'
  complain(scanner, length, {
    message: `this ${what} does not end`,
    hint: `close it with ${quote}; a ${quote} inside is written twice`,
  })
  push(
    scanner,
    quote === "'" ? 'string' : 'quoted',
    scanner.text.slice(scanner.at + 1, scanner.at + length),
    length,
  )
}

function scanDoubleQuoted(scanner: Scanner): void {
  const { text, at } = scanner
  const line = lineLength(text, at)
  const end = text.indexOf('"', at + 1)
  const length = end < 0 || end >= at + line ? Math.max(1, line) : end + 1 - at
  const inside = text.slice(at + 1, at + length).replace(/"$/, '')
  complain(scanner, length, {
    message: 'double quotes mean nothing in this dialect',
    hint: `write \`${inside}\` if it is a name, '${inside}' if it is text`,
  })
  push(scanner, 'quoted', inside === '' ? '_' : inside, length)
}

function scanBinary(scanner: Scanner): void {
  const before = scanner.tokens.length
  scanQuoted(scanner, "'", 'binary', 1)
  const token = scanner.tokens[before]
  if (token === undefined || token.kind !== 'binary') return
  if (/^(?:[0-9a-fA-F]{2})*$/.test(token.text)) return
  scanner.errors.push(
    new SqlError('SQL_SYNTAX', token.at, {
      message: `x'${token.text}' is not a whole number of bytes in hexadecimal`,
      hint: "write two of 0-9, a-f for each byte: x'00ff'",
    }),
  )
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0].length ?? 0
}

function lineLength(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return (end < 0 ? text.length : end) - at
}

function placeHere(scanner: Scanner, length: number): Place {
  const { at, line, lineStart } = scanner
  return { offset: at, line, column: at - lineStart + 1, length }
}

function push(scanner: Scanner, kind: Token['kind'], text: string, length: number): void {
  const upper = kind === 'word' ? text.toUpperCase() : ''
  scanner.tokens.push({ kind, text, upper, at: placeHere(scanner, length) })
  advance(scanner, length)
}

function advance(scanner: Scanner, length: number): void {
  const end = scanner.at + length
  for (;;) {
    const newline = scanner.text.indexOf('\n', scanner.at)
    if (newline < 0 || newline >= end) break
    scanner.line++
    scanner.lineStart = newline + 1
    scanner.at = newline + 1
  }
  scanner.at = end
}

function complain(
  scanner: Scanner,
  length: number,
  told: { readonly message: string; readonly hint: string },
): void {
  scanner.errors.push(new SqlError('SQL_SYNTAX', placeHere(scanner, length), told))
}
