/** JSON texts as trees, and the SQL/JSON paths in them: lax $.a.b[0]['c'].*[*] and strict. */

import { doubleText } from '../value-text.ts'

/** Whole numbers are bigint, so that no digit is lost. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json
}

type Step =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all-members' }
  | { readonly kind: 'all-elements' }

export interface Path {
  readonly strict: boolean
  readonly steps: readonly Step[]
}

export type Found =
  | { readonly kind: 'found'; readonly values: readonly Json[] }
  | { readonly kind: 'error'; readonly reason: string }

/** Parsed paths kept; then the cache starts anew. */
const PATHS_MAX = 500
const paths = new Map<string, Path | undefined>()

/** undefined if the text is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text, (_name, value, told: { readonly source?: string } = {}) => {
      const { source } = told
      return typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source)
        ? BigInt(source)
        : value
    }) as Json
  } catch {
    return undefined
  }
}

export function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** As Flink writes JSON: members in order of their names, fractions as Java tells doubles. */
export function jsonOf(value: Json): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return doubleText(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`
  return objectText(
    Object.entries(value as JsonObject).map(([name, member]) => [name, jsonOf(member)]),
  )
}

/** An object of members that are JSON already, in order of their names. */
export function objectText(members: readonly (readonly [name: string, json: string])[]): string {
  const ordered = members.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${ordered.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`
}

/** undefined if the text is no path. */
export function parsePath(text: string): Path | undefined {
  if (paths.has(text)) return paths.get(text)
  if (paths.size >= PATHS_MAX) paths.clear()
  const path = readPath(text)
  paths.set(text, path)
  return path
}

function readPath(text: string): Path | undefined {
  const head = /^\s*(?:(lax|strict)\s+)?\$/i.exec(text)
  if (head === null) return undefined
  const steps: Step[] = []
  let rest = text.slice(head[0].length).trimEnd()
  while (rest !== '') {
    const match =
      /^\.(\*)|^\.([^.[\s]+)|^\[\s*(\*)\s*\]|^\[\s*(\d+)\s*\]|^\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]/.exec(
        rest,
      )
    if (match === null) return undefined
    steps.push(stepOf(match))
    rest = rest.slice(match[0].length)
  }
  return { strict: head[1]?.toLowerCase() === 'strict', steps }
}

function stepOf([, members, plain, elements, index, single, double]: RegExpExecArray): Step {
  if (members !== undefined) return { kind: 'all-members' }
  if (elements !== undefined) return { kind: 'all-elements' }
  if (index !== undefined) return { kind: 'index', index: Number(index) }
  const quoted = single ?? double
  return { kind: 'name', name: plain ?? quoted!.replace(/\\(.)/g, '$1') }
}

/** What `path` finds in `root`. In lax mode what is missing is nothing; in strict mode it is an error. */
export function findPath(root: Json, path: Path): Found {
  let values: readonly Json[] = [root]
  for (const step of path.steps) {
    const next: Json[] = []
    for (const value of values) {
      const found = applyStep(value, step, path.strict)
      if (found === undefined) {
        if (path.strict) return { kind: 'error', reason: 'no such member in strict mode' }
      } else next.push(...found)
    }
    values = next
  }
  return { kind: 'found', values }
}

function applyStep(value: Json, step: Step, strict: boolean): readonly Json[] | undefined {
  switch (step.kind) {
    case 'name':
      if (isObject(value)) return Object.hasOwn(value, step.name) ? [value[step.name]!] : undefined
      return undefined
    case 'index': {
      if (!Array.isArray(value)) return !strict && step.index === 0 ? [value] : undefined
      return step.index < value.length ? [value[step.index]] : undefined
    }
    case 'all-members':
      return isObject(value) ? Object.values(value) : undefined
    default:
      return Array.isArray(value) ? value : strict ? undefined : [value]
  }
}
