/** LIKE, SIMILAR TO and Java's regular expressions as JavaScript's. */
import { failRow } from '../row-failure.ts'

const SPECIAL = /[.*+?^${}()|[\]\\/]/g
/** Compiled patterns kept; then the cache starts anew. */
const PATTERNS_MAX = 1000
const compiled = new Map<string, RegExp | null>()

/** % is any characters, _ one. */
export function likePattern(pattern: string, escapeBy: string | undefined): RegExp {
  let source = ''
  const points = [...pattern]
  for (let at = 0; at < points.length; at++) {
    const point = points[at]!
    if (point === escapeBy) {
      const next = points[++at]
      if (next !== '%' && next !== '_' && next !== escapeBy)
        return failRow(`'${pattern}' escapes neither %, _ nor the escape character`)
      source += next.replace(SPECIAL, '\\$&')
    } else if (point === '%') source += '.*'
    else if (point === '_') source += '.'
    else source += point.replace(SPECIAL, '\\$&')
  }
  return new RegExp(`^${source}$`, 'su')
}

/** LIKE's wildcards in a regular expression. */
export function similarPattern(pattern: string, escapeBy: string | undefined): RegExp {
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
    return new RegExp(`^(?:${source})$`, 'su')
  } catch {
    return failRow(`'${pattern}' is no pattern of SIMILAR TO`)
  }
}

/** Java's syntax; null if the pattern is none. Always global: who uses it says where it begins. */
export function javaPattern(pattern: string): RegExp | null {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  if (compiled.size >= PATTERNS_MAX) compiled.clear()
  const made = makeJavaPattern(pattern)
  compiled.set(pattern, made)
  return made
}

function makeJavaPattern(pattern: string): RegExp | null {
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
      return new RegExp(source, `g${flags}${mode}`)
    } catch {
      // Java allows escapes that only the mode without u does.
    }
  }
  return null
}
