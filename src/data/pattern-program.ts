/** A regular expression as instructions for a matcher that never does anything twice: JavaScript's syntax, less what looks around or back. */

export type Instruction =
  /** One character that passes. */
  | { readonly kind: 'character'; readonly passes: (point: number) => boolean }
  | { readonly kind: 'assertion'; readonly holds: (text: string, at: number) => boolean }
  /** Goes on at `first`; if that fails, at `second`. */
  | { readonly kind: 'split'; first: number; second: number }
  | { readonly kind: 'jump'; to: number }
  /** Notes the place as that of bound `slot`: 2 a group. */
  | { readonly kind: 'save'; readonly slot: number }
  /** Forgets bounds from `from` up to `to`: a group within a repetition is that of the last. */
  | { readonly kind: 'forget'; readonly from: number; readonly to: number }
  | { readonly kind: 'match' }

export interface PatternProgram {
  readonly instructions: readonly Instruction[]
  /** The whole match included. */
  readonly groups: number
  readonly isUnicode: boolean
}

/** Repetitions are written out: no more instructions than so many. */
const INSTRUCTIONS_MAX = 5000
/** Of groups within groups. */
const DEPTH_MAX = 200
const UNBOUNDED = Number.POSITIVE_INFINITY

/** `pattern` must be one that JavaScript takes. Undefined: it looks around or back, is nested too deep, or is too long when it is written out. */
export function patternProgram({ source, flags }: RegExp): PatternProgram | undefined {
  const parser = new Parser(source, flags)
  try {
    return parser.program()
  } catch (error) {
    if (error === UNFIT) return undefined
    throw error
  }
}

const UNFIT = new Error('the pattern is not of those that are bounded')

/** Of an assertion or escape, as long as it is. */
const ESCAPE = /\\(?:u\{[^}]*\}|[pP]\{[^}]*\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|c[A-Za-z]|[\s\S])/uy
const CLASS = /\[(?:\\[\s\S]|[^\]\\])*\]/uy
const QUANTIFIER = /(?:([*+?])|\{(\d+)(,(\d*))?\})(\??)/y
const OPENS = /\((?:\?(:|<[^=!][^>]*>)|(\?)|)/y

class Parser {
  readonly #source: string
  readonly #flags: string
  readonly #out: Instruction[] = []
  #at = 0
  #groups = 1
  #depth = 0

  constructor(source: string, flags: string) {
    this.#source = source
    this.#flags = flags
  }

  program(): PatternProgram {
    this.#push({ kind: 'save', slot: 0 })
    this.#alternatives()
    if (this.#at < this.#source.length) throw UNFIT
    this.#push({ kind: 'save', slot: 1 })
    this.#push({ kind: 'match' })
    const isUnicode = this.#flags.includes('u')
    return { instructions: this.#out, groups: this.#groups, isUnicode }
  }

  #push<Pushed extends Instruction>(instruction: Pushed): Pushed {
    if (this.#out.length >= INSTRUCTIONS_MAX) throw UNFIT
    this.#out.push(instruction)
    return instruction
  }

  #take(what: RegExp): RegExpExecArray | undefined {
    what.lastIndex = this.#at
    const found = what.exec(this.#source)
    if (found === null) return undefined
    this.#at = what.lastIndex
    return found
  }

  #alternatives(): void {
    const ends: Extract<Instruction, { kind: 'jump' }>[] = []
    for (;;) {
      const start = this.#out.length
      this.#terms()
      if (this.#source[this.#at] !== '|') break
      this.#at++
      const body = this.#out.splice(start)
      this.#push({ kind: 'split', first: start + 1, second: start + body.length + 2 })
      for (const each of body) this.#push(moved(each, 1))
      ends.push(this.#push({ kind: 'jump', to: 0 }))
    }
    for (const end of ends) end.to = this.#out.length
  }

  #terms(): void {
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) {
      const start = this.#out.length
      const before = this.#groups
      this.#term()
      const quantifier = this.#take(QUANTIFIER)
      if (quantifier !== undefined) this.#repeated(start, before, quantifier)
    }
  }

  #term(): void {
    const opens = this.#take(OPENS)
    if (opens !== undefined) {
      if (opens[2] !== undefined) throw UNFIT
      this.#group(opens[1] === ':' ? undefined : this.#groups++)
      return
    }
    const char = this.#source[this.#at]!
    if (char === '^' || char === '$') {
      this.#at++
      this.#push({ kind: 'assertion', holds: edge(char, this.#flags.includes('m')) })
      return
    }
    const [atom] = this.#take(CLASS) ?? this.#take(ESCAPE) ?? [this.#character()]
    if (/^\\[1-9k]/.test(atom)) throw UNFIT
    if (/^\\[bB]$/.test(atom)) this.#push({ kind: 'assertion', holds: boundary(atom === '\\b') })
    else this.#push({ kind: 'character', passes: passesOf(atom, this.#flags) })
  }

  #character(): string {
    const isUnicode = this.#flags.includes('u')
    const char = isUnicode
      ? String.fromCodePoint(this.#source.codePointAt(this.#at)!)
      : this.#source[this.#at]!
    this.#at += char.length
    return char
  }

  #group(index: number | undefined): void {
    if (++this.#depth > DEPTH_MAX) throw UNFIT
    if (index !== undefined) this.#push({ kind: 'save', slot: 2 * index })
    this.#alternatives()
    this.#at++
    this.#depth--
    if (index !== undefined) this.#push({ kind: 'save', slot: 2 * index + 1 })
  }

  /** What stands behind `start` as often as the quantifier says. */
  #repeated(start: number, before: number, [, sign, least, comma, most, lazy]: RegExpExecArray) {
    const min = sign === undefined ? Number(least) : sign === '+' ? 1 : 0
    const max =
      sign === '?' ? 1 : sign !== undefined || (comma !== undefined && most === '') ? UNBOUNDED : 0
    const body = this.#out.splice(start)
    const isGreedy = lazy === ''
    const once = (): void => {
      const by = this.#out.length - start
      for (const each of body) this.#push(moved(each, by))
    }
    const again = (): void => {
      if (this.#groups > before)
        this.#push({ kind: 'forget', from: 2 * before, to: 2 * this.#groups })
    }
    for (let times = 0; times < min; times++) {
      if (times > 0) again()
      once()
    }
    const limit = max === 0 ? (comma === undefined ? min : Number(most)) : max
    if (limit === UNBOUNDED) this.#loop(isGreedy, again, once)
    else this.#optional(limit - min, isGreedy, again, once)
  }

  #loop(isGreedy: boolean, again: () => void, once: () => void): void {
    const start = this.#out.length
    const split = this.#push({ kind: 'split', first: start + 1, second: start + 1 })
    again()
    once()
    this.#push({ kind: 'jump', to: start })
    this.#exits(split, isGreedy)
  }

  #optional(times: number, isGreedy: boolean, again: () => void, once: () => void): void {
    const splits = []
    for (let time = 0; time < times; time++) {
      const next = this.#out.length + 1
      splits.push(this.#push({ kind: 'split', first: next, second: next }))
      again()
      once()
    }
    for (const split of splits) this.#exits(split, isGreedy)
  }

  #exits(split: Extract<Instruction, { kind: 'split' }>, isGreedy: boolean): void {
    if (isGreedy) split.second = this.#out.length
    else split.first = this.#out.length
  }
}

function moved(instruction: Instruction, by: number): Instruction {
  if (instruction.kind === 'jump') return { kind: 'jump', to: instruction.to + by }
  if (instruction.kind !== 'split') return instruction
  return { kind: 'split', first: instruction.first + by, second: instruction.second + by }
}

/** Asks JavaScript of each character once. */
function passesOf(atom: string, flags: string): (point: number) => boolean {
  const pattern = new RegExp(`^(?:${atom})$`, flags.replace(/[gmy]/g, ''))
  const known = new Map<number, boolean>()
  return (point) => {
    let passes = known.get(point)
    if (passes === undefined) {
      passes = pattern.test(String.fromCodePoint(point))
      known.set(point, passes)
    }
    return passes
  }
}

const isLineEnd = (char: string | undefined): boolean =>
  char === '\n' || char === '\r' || char === '\u2028' || char === '\u2029'

function edge(sign: '^' | '$', isMultiline: boolean): (text: string, at: number) => boolean {
  if (sign === '^') return (text, at) => at === 0 || (isMultiline && isLineEnd(text[at - 1]))
  return (text, at) => at === text.length || (isMultiline && isLineEnd(text[at]))
}

function boundary(isOne: boolean): (text: string, at: number) => boolean {
  const isWord = (char: string | undefined): boolean => char !== undefined && /\w/.test(char)
  return (text, at) => (isWord(text[at - 1]) !== isWord(text[at])) === isOne
}
