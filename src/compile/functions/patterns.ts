/** LIKE, SIMILAR TO and Java's regular expressions as JavaScript's. */
import { type BoundedPattern, boundedPattern, widthAt } from '../../data/bounded-pattern.ts'
import { failRow } from '../row-failure.ts'

const SPECIAL = /[.*+?^${}()|[\]\\/]/g
/** Compiled patterns kept; then the cache starts anew. */
const PATTERNS_MAX = 1000
const compiled = new Map<string, BoundedPattern | null>()

/** Whether a text is of a pattern. */
export interface TextPattern {
  test(text: string): boolean
}

const ANY = Symbol('any characters')
const ONE = Symbol('any character')

/** % is any characters, _ one. */
export function likePattern(pattern: string, escapeBy: string | undefined): TextPattern {
  const parts: (string | symbol)[] = []
  const points = [...pattern]
  for (let at = 0; at < points.length; at++) {
    const point = points[at]!
    if (point === escapeBy) {
      const next = points[++at]
      if (next !== '%' && next !== '_' && next !== escapeBy)
        return failRow(`'${pattern}' escapes neither %, _ nor the escape character`)
      parts.push(next)
    } else parts.push(point === '%' ? ANY : point === '_' ? ONE : point)
  }
  return { test: (text) => isLike(text, parts) }
}

/** Goes back to the last % alone: what an earlier one took need never be changed. */
function isLike(text: string, parts: readonly (string | symbol)[]): boolean {
  let at = 0
  let part = 0
  let any = -1
  let anyUntil = 0
  while (at < text.length) {
    const wanted = parts[part]
    if (wanted === ANY) {
      any = part++
      anyUntil = at
    } else if (wanted === ONE || (typeof wanted === 'string' && text.startsWith(wanted, at))) {
      at += typeof wanted === 'string' ? wanted.length : widthAt(text, at)
      part++
    } else if (any >= 0) {
      anyUntil += widthAt(text, anyUntil)
      at = anyUntil
      part = any + 1
    } else return false
  }
  while (parts[part] === ANY) part++
  return part === parts.length
}

/** LIKE's wildcards in a regular expression. */
export function similarPattern(pattern: string, escapeBy: string | undefined): TextPattern {
  let source = ''
  const points = [...pattern]
  for (let at = 0; at < points.length; at++) {
    const point = points[at]!
    if (point === escapeBy) source += (points[++at] ?? '').replace(SPECIAL, '\\$&')
    else if (point === '%') source += '.*'
    else if (point === '_') source += '.'
    else source += point === '.' || point === '^' || point === '$' ? `\\${point}` : point
  }
  try {
    const bounded = boundedPattern(new RegExp(`^(?:${source})$`, 'gsu'), failRow)
    return { test: (text) => bounded.find(text, 0) !== undefined }
  } catch {
    return failRow(`'${pattern}' is no pattern of SIMILAR TO`)
  }
}

/** Java's syntax; null if the pattern is none. */
export function javaPattern(pattern: string): BoundedPattern | null {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  if (compiled.size >= PATTERNS_MAX) compiled.clear()
  const made = makeJavaPattern(pattern)
  compiled.set(pattern, made)
  return made
}

function makeJavaPattern(pattern: string): BoundedPattern | null {
  const inline = /^\(\?([ims]+)\)/.exec(pattern)
  const flags = inline?.[1] ?? ''
  const source = pattern
    .slice(inline?.[0].length ?? 0)
    .replace(/\\p\{Alpha\}/g, '[A-Za-z]')
    .replace(/\\p\{Digit\}/g, '[0-9]')
    .replace(/\\p\{Alnum\}/g, '[A-Za-z0-9]')
    .replace(/\\p\{Punct\}/g, '[!-/:-@\\[-`{-~]')
    .replace(/([*+?}])\+/g, '$1')
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$')
  for (const mode of ['u', '']) {
    try {
      return boundedPattern(new RegExp(source, `g${flags}${mode}`), failRow)
    } catch {
      // Java allows escapes that only the mode without u does.
    }
  }
  return null
}
