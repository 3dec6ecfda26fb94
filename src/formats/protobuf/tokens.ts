/** The words of a .proto text. */
import { MillraceError } from '../../errors.ts'

export interface Tokens {
  /** The next word without taking it; '' at the end. */
  peek(): string
  take(): string
  /** Takes `word` if it is next. */
  skip(word: string): boolean
  /** @throws SCHEMA_INVALID unless `word` is next */
  expect(word: string): void
  /** An identifier, or dotted ones. */
  name(): string
  integer(): number
  /** What a literal in quotes says; literals in a row are one. */
  string(): string
  fail(what: string): MillraceError
}

const TOKEN =
  /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|([A-Za-z_.][\w.]*|0[xX][\da-fA-F]+|\d[\w.]*(?:[eE][+-]?\d+)?|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[{}()[\]<>;,=:+\-/])/y

export function tokenize(text: string): Tokens {
  const { words, places } = wordsOf(text)
  let next = 0
  const fail = (what: string): MillraceError => invalid(text, places[next] ?? text.length, what)
  const tokens: Tokens = {
    fail,
    peek: () => words[next] ?? '',
    take() {
      const word = words[next]
      if (word === undefined) throw fail('the text ends too early')
      next++
      return word
    },
    skip(word) {
      if (words[next] !== word) return false
      next++
      return true
    },
    expect(word) {
      if (!tokens.skip(word)) throw fail(`expected ${JSON.stringify(word)}`)
    },
    name() {
      if (!/^[A-Za-z_.]/.test(tokens.peek())) throw fail('expected a name')
      return tokens.take()
    },
    integer() {
      const isNegative = tokens.skip('-')
      const word = tokens.peek()
      const value = /^0[0-7]+$/.test(word) ? Number.parseInt(word, 8) : Number(word)
      if (word === '' || !Number.isSafeInteger(value)) throw fail('expected a whole number')
      next++
      return isNegative ? -value : value
    },
    string() {
      let out = ''
      do {
        const word = tokens.peek()
        if (!/^["']/.test(word)) throw fail('expected a text in quotes')
        next++
        out += word.slice(1, -1).replace(/\\(.)/g, '$1')
      } while (/^["']/.test(tokens.peek()))
      return out
    },
  }
  return tokens
}

/** The words alone: texts that differ in spaces and comments have the same. @throws SCHEMA_INVALID */
export function tokenTexts(text: string): readonly string[] {
  return wordsOf(text).words
}

function wordsOf(text: string): { readonly words: string[]; readonly places: number[] } {
  const words: string[] = []
  const places: number[] = []
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (match === null) throw invalid(text, at, `${JSON.stringify(text[at])} is not expected`)
    if (match[1] === undefined) continue
    words.push(match[1])
    places.push(at)
  }
  return { words, places }
}

function invalid(text: string, at: number, what: string): MillraceError {
  const line = text.slice(0, at).split('\n').length
  return new MillraceError('SCHEMA_INVALID', {
    message: `the PROTOBUF schema is invalid in line ${line}: ${what}`,
    hint: 'see the Protocol Buffers language specification',
    facts: { line },
  })
}
