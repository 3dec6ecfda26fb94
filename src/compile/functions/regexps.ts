/** Functions of regular expressions in Java's syntax. */
import { allFound, type BoundedPattern } from '../../data/bounded-pattern.ts'
import { type RowFunction, shaped } from '../row-function.ts'
import type { Value } from '../value.ts'
import { javaPattern } from './patterns.ts'

type Match = (text: string, pattern: BoundedPattern, args: readonly Value[]) => Value

export const regexpFunctions: Readonly<Record<string, RowFunction>> = {
  REGEXP: matching((text, pattern) => pattern.find(text, 0) !== undefined, false),
  REGEXP_REPLACE: matching((text, pattern, [, , by]) => replaced(text, pattern, by as string)),
  REGEXP_EXTRACT: matching((text, pattern, [, , group]) => {
    const index = Number(group ?? 0n)
    return index < 0 ? null : (pattern.find(text, 0)?.groups[index] ?? null)
  }),
  REGEXP_EXTRACT_ALL: matching((text, pattern, [, , group]) => {
    const index = Number(group ?? 1n)
    if (index < 0 || index >= pattern.groups) return null
    return [...allFound(pattern, text)].map(({ groups }) => groups[index] ?? null)
  }),
  REGEXP_COUNT: matching((text, pattern) => BigInt([...allFound(pattern, text)].length)),
  REGEXP_INSTR: matching((text, pattern) => {
    const found = pattern.find(text, 0)
    return found === undefined ? 0n : BigInt([...text.slice(0, found.start)].length + 1)
  }),
  REGEXP_SUBSTR: matching((text, pattern) => pattern.find(text, 0)?.groups[0] ?? null),
}

/** `whenNone` is the answer where the pattern is no regular expression. */
function matching(match: Match, whenNone: Value = null): RowFunction {
  return shaped(({ constants: [, constant] }) => {
    const fixed = typeof constant === 'string' ? javaPattern(constant) : undefined
    return (args) => {
      const pattern = fixed === undefined ? javaPattern(args[1] as string) : fixed
      if (pattern === null) return whenNone
      return match(args[0] as string, pattern, args)
    }
  })
}

/** Java's replacement: $1 or ${name} is a group, a backslash takes the next character as it is; NULL if there is no such group. */
function replaced(text: string, pattern: BoundedPattern, by: string): Value {
  let fits = true
  let out = ''
  let end = 0
  for (const found of allFound(pattern, text)) {
    out += text.slice(end, found.start)
    out += by.replace(/\\(.)|\$(\d)/gs, (_, literal, group) => {
      if (literal !== undefined) return literal
      if (Number(group) >= pattern.groups) fits = false
      return found.groups[Number(group)] ?? ''
    })
    end = found.end
  }
  return fits ? out + text.slice(end) : null
}
