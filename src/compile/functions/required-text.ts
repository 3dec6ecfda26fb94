/** What every match of a regular expression has in it, so that texts without it need not be looked at. */

const QUANTIFIERS = '?*+{'
/** Escapes that stand for one character of a kind, or for none. */
const KINDS = 'dDwWsSbB'

/**
 * The longest text that every match has; undefined if none is known: alternatives at the top, flags, or what is not understood here.
 *
 * Groups and classes are passed over: what they match is not known.
 */
export function requiredText(pattern: string): string | undefined {
  if (/\(\?[a-zA-Z-]+[:)]/.test(pattern)) return undefined
  const points = [...pattern]
  const runs: string[][] = [[]]
  for (let at = 0; at < points.length; at++) {
    const point = points[at]!
    const run = runs.at(-1)!
    if (point === '|') return undefined
    if (QUANTIFIERS.includes(point)) {
      // A + asks for one at least; all others may ask for none.
      if (point !== '+') run.pop()
      runs.push([])
      if (point === '{') at = points.indexOf('}', at)
    } else if (point === '(' || point === '[') {
      at = endOf(points, at)
      runs.push([])
    } else if (point === '\\') {
      const escaped = points[++at] ?? 'Q'
      if (KINDS.includes(escaped)) runs.push([])
      else if (/[\p{L}\p{N}]/u.test(escaped)) return undefined
      else run.push(escaped)
    } else if ('.^$'.includes(point)) runs.push([])
    else run.push(point)
    if (at < 0) return undefined
  }
  const texts = runs.map((run) => run.join(''))
  const longest = texts.reduce((best, text) => (text.length > best.length ? text : best), '')
  return longest === '' ? undefined : longest
}

/** Where the group or class that opens at `start` closes; -1 if that is not told apart here: a class within a class. */
function endOf(points: readonly string[], start: number): number {
  let depth = 0
  let isClass = false
  for (let at = start; at < points.length; at++) {
    const point = points[at]
    if (point === '\\') at++
    else if (point === '[') {
      if (isClass) return -1
      isClass = true
    } else if (point === ']') isClass = false
    else if (!isClass && point === '(') depth++
    else if (!isClass && point === ')') depth--
    if (depth === 0 && !isClass) return at
  }
  return -1
}
