/**
 * Regular expressions that take no longer than the text and the pattern are long, whatever they are.
 *
 * JavaScript's matcher is the faster one where nothing goes wrong, and takes for ever where someone wants it to: it goes where its steps
 * are bounded anyway. Else each place of the pattern is tried at each place of the text at most once, in the order in which a
 * backtracking matcher would come there, so that the same is found.
 *
 * @see Cox, "Regular Expression Matching: the Virtual Machine Approach"; RE2, BitState
 */
import { type PatternProgram, patternProgram } from './pattern-program.ts'

/** A match: in UTF-16 units. */
export interface Found {
  readonly start: number
  readonly end: number
  /** By number, the whole match first; undefined where a group is not in the match. */
  readonly groups: readonly (string | undefined)[]
}

export interface BoundedPattern {
  /** The whole match included. */
  readonly groups: number
  /** The first match from `from` on. @throws what `refuse` makes of it, if nothing bounds its steps */
  find(text: string, from: number): Found | undefined
}

/** Of a pattern, in UTF-16 units: what is counted and written out takes the square of it. */
const SOURCE_MAX = 10_000
/** Steps that JavaScript's matcher may take. */
const STEPS_MAX = 10_000_000
/** Places of the pattern times those of the text: a bit each. */
const PLACES_MAX = 20_000_000
/** Of all matches in a text. */
const PLACES_ALL_MAX = 4_000_000_000

/** `pattern` is global. `refuse` is given the reason where it may take for ever. */
export function boundedPattern(pattern: RegExp, refuse: (reason: string) => never): BoundedPattern {
  const isLong = pattern.source.length > SOURCE_MAX
  const stepsOf = isLong ? () => Number.POSITIVE_INFINITY : stepsIn(pattern.source)
  let program: PatternProgram | undefined | null = null
  /** Places of this text so far. */
  let spent = 0
  return {
    groups: new RegExp(`${pattern.source}|`, pattern.flags).exec('')!.length,
    find(text, from) {
      if (stepsOf(text.length) <= STEPS_MAX) return foundAtOnce(pattern, text, from)
      if (program === null) program = isLong ? undefined : patternProgram(pattern)
      const places = (program?.instructions.length ?? Number.POSITIVE_INFINITY) * text.length
      spent = from === 0 ? places : spent + places
      if (program === undefined || places > PLACES_MAX || spent > PLACES_ALL_MAX)
        return refuse(
          `the regular expression '${shortened(pattern.source)}' may take for ever on a text of ${text.length} characters`,
        )
      return search(program, text, from)
    },
  }
}

/** All matches, one behind another. */
export function* allFound(pattern: BoundedPattern, text: string): Generator<Found> {
  for (let from = 0; from <= text.length; ) {
    const found = pattern.find(text, from)
    if (found === undefined) return
    yield found
    const isEmpty = found.end === found.start
    from = isEmpty ? found.end + widthAt(text, found.end) : found.end
  }
}

/** Of the character at `at`, in UTF-16 units. */
export function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}

function shortened(source: string): string {
  return source.length > 60 ? `${source.slice(0, 60)}...` : source
}

const QUANTIFIERS = /(?:[*+]|\{\d+,\d*\})\??/g
const CHOICES = /[?|]/g
const INNERMOST = /\((?:\?(?::|<?[=!]|<[^>]*>))?([^()]*)\)([*+]|\{\d+(?:,\d*)?\})?/

/** The most steps of JavaScript's matcher by the length of the text; where choices are repeated there is no most. */
function stepsIn(source: string): (length: number) => number {
  let plain = source.replace(/\\(?:[pPu]\{[^}]*\}|[\s\S])|\[(?:\\[\s\S]|[^\]\\])*\]/gu, 'x')
  for (let found = INNERMOST.exec(plain); found !== null; found = INNERMOST.exec(plain)) {
    const [group, body = '', quantifier = ''] = found
    const isChoice = /[*+?|{]/.test(body)
    if (isChoice && quantifier !== '') return () => Number.POSITIVE_INFINITY
    plain = plain.replace(group, () => `${body}${quantifier}`)
  }
  const repeated = plain.match(QUANTIFIERS)?.length ?? 0
  const choices = plain.replace(QUANTIFIERS, '').match(CHOICES)?.length ?? 0
  return (length) => (length + 1) ** (1 + repeated) * 2 ** choices
}

function foundAtOnce(pattern: RegExp, text: string, from: number): Found | undefined {
  pattern.lastIndex = from
  const found = pattern.exec(text)
  if (found === null) return undefined
  return { start: found.index, end: found.index + found[0].length, groups: found }
}

function search(program: PatternProgram, text: string, from: number): Found | undefined {
  const tried = new Uint8Array(Math.ceil((program.instructions.length * (text.length + 1)) / 8))
  for (let start = from; start <= text.length; start++) {
    const bounds = matchAt(program, text, start, tried)
    if (bounds !== undefined) return foundIn(text, bounds)
  }
  return undefined
}

function foundIn(text: string, bounds: readonly number[]): Found {
  const groups: (string | undefined)[] = []
  for (let slot = 0; slot < bounds.length; slot += 2)
    groups.push(bounds[slot + 1]! < 0 ? undefined : text.slice(bounds[slot], bounds[slot + 1]))
  return { start: bounds[0]!, end: bounds[1]!, groups }
}

/** What to go back to: a place to try, or a bound as it was. */
type Undone =
  | { readonly to: number; readonly at: number }
  | { readonly slot: number; readonly was: number }

/** What was tried in vain from an earlier start is tried in vain from this one. */
function matchAt(
  { instructions, groups, isUnicode }: PatternProgram,
  text: string,
  start: number,
  tried: Uint8Array,
): readonly number[] | undefined {
  const bounds = new Array<number>(2 * groups).fill(-1)
  const stack: Undone[] = [{ to: 0, at: start }]
  const set = (slot: number, to: number): void => {
    stack.push({ slot, was: bounds[slot]! })
    bounds[slot] = to
  }
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if ('slot' in next) {
      bounds[next.slot] = next.was
      continue
    }
    let { to, at } = next
    for (;;) {
      const bit = to * (text.length + 1) + at
      if ((tried[bit >>> 3]! & (1 << (bit & 7))) !== 0) break
      tried[bit >>> 3]! |= 1 << (bit & 7)
      const instruction = instructions[to]!
      if (instruction.kind === 'match') return bounds
      if (instruction.kind === 'character') {
        const point = isUnicode ? text.codePointAt(at) : text.charCodeAt(at)
        if (at >= text.length || !instruction.passes(point!)) break
        at += point! > 0xffff ? 2 : 1
        to++
      } else if (instruction.kind === 'split') {
        stack.push({ to: instruction.second, at })
        to = instruction.first
      } else if (instruction.kind === 'jump') to = instruction.to
      else {
        if (instruction.kind === 'assertion' && !instruction.holds(text, at)) break
        if (instruction.kind === 'save') set(instruction.slot, at)
        if (instruction.kind === 'forget')
          for (let slot = instruction.from; slot < instruction.to; slot++) set(slot, -1)
        to++
      }
    }
  }
  return undefined
}
