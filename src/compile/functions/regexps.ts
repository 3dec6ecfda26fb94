/** Functions of regular expressions in Java's syntax. */
import { type RowFunction, shaped } from '../row-function.ts'
import type { Value } from '../value.ts'
import { javaPattern } from './patterns.ts'

type Match = (text: string, pattern: RegExp, args: readonly Value[]) => Value

export const regexpFunctions: Readonly<Record<string, RowFunction>> = {
  REGEXP: matching((text, pattern) => pattern.test(text), false),
  REGEXP_REPLACE: matching((text, pattern, [, , by]) => replaced(text, pattern, by as string)),
  REGEXP_EXTRACT: matching((text, pattern, [, , group]) => {
    const index = Number(group ?? 0n)
    return index < 0 ? null : (pattern.exec(text)?.[index] ?? null)
  }),
  REGEXP_EXTRACT_ALL: matching((text, pattern, [, , group]) => {
    const index = Number(group ?? 1n)
    const groups = (new RegExp(`${pattern.source}|`, pattern.flags).exec('')?.length ?? 1) - 1
    if (index < 0 || index > groups) return null
    return [...text.matchAll(pattern)].map((match) => match[index] ?? null)
  }),
  REGEXP_COUNT: matching((text, pattern) => BigInt([...text.matchAll(pattern)].length)),
  REGEXP_INSTR: matching((text, pattern) => {
    const match = pattern.exec(text)
    return match === null ? 0n : BigInt([...text.slice(0, match.index)].length + 1)
  }),
  REGEXP_SUBSTR: matching((text, pattern) => pattern.exec(text)?.[0] ?? null),
}

/** `whenNone` is the answer where the pattern is no regular expression. */
function matching(match: Match, whenNone: Value = null): RowFunction {
  return shaped(({ constants: [, constant] }) => {
    const fixed = typeof constant === 'string' ? javaPattern(constant) : undefined
    return (args) => {
      const pattern = fixed === undefined ? javaPattern(args[1] as string) : fixed
      if (pattern === null) return whenNone
      pattern.lastIndex = 0
      return match(args[0] as string, pattern, args)
    }
  })
}

/** Java's replacement: $1 or ${name} is a group, a backslash takes the next character as it is; NULL if there is no such group. */
function replaced(text: string, pattern: RegExp, by: string): Value {
  let fits = true
  const out = text.replace(pattern, (...told) => {
    const groups = told.slice(
      0,
      told.findIndex((part) => typeof part === 'number'),
    )
    return by.replace(/\\(.)|\$(\d)/gs, (_, literal, group) => {
      if (literal !== undefined) return literal
      if (Number(group) >= groups.length) fits = false
      return groups[Number(group)] ?? ''
    })
  })
  return fits ? out : null
}
