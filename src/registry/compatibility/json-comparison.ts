/**
 * Comparing two JSON Schemas: what has been found so far, where, and which pairs are known.
 *
 * Schemas may be recursive. A pair that is met again while it is being compared, or too far down, is taken for compatible; if that
 * turns out wrong, all is compared once more with what is known by then, until nothing new is found.
 */
import type { JsonSchema } from '../json-schema/schema.ts'
import type { Difference } from './difference.ts'
import { isCompatibleRule, ruleText } from './json-rules.ts'

/** A change below the pair that is compared: compatible or not. */
export interface Change {
  readonly rule: string
  /** From the pair on: 'properties/price'. */
  readonly path: string
}

export type Compare = (old: JsonSchema, next: JsonSchema) => readonly Change[]
export type ComparePair = (old: JsonSchema, next: JsonSchema, compare: Compare) => readonly Change[]

type Pairs = Map<JsonSchema, Map<JsonSchema, readonly Change[]>>

/** Pairs of schemas that one comparison looks at, all passes together. */
const PAIRS_MAX = 100_000
/** Steps from a pair to those below it; what is further down is compared for itself. */
const DEPTH_MAX = 150
/** How often all is compared. */
const PASSES_MAX = 30
/** Refused changes that are told of one pair. */
const CHANGES_MAX = 100

/** What is refused. */
export function refusedChanges(
  old: JsonSchema,
  next: JsonSchema,
  comparePair: ComparePair,
): readonly Difference[] {
  let refused: Pairs = new Map()
  let refusedCount = 0
  let pairs = 0
  for (let passes = 1; ; passes++) {
    const pass = onePass(comparePair, refused, PAIRS_MAX - pairs)
    const changes = pass.compare(old, next)
    pass.compareDeferred()
    pairs += pass.pairs()
    const isTooLarge = pairs > PAIRS_MAX || passes === PASSES_MAX
    if (!pass.hasGuessed() || pass.refusedCount() === refusedCount || isTooLarge)
      return differencesOf(changes, isTooLarge)
    refused = pass.refused()
    refusedCount = pass.refusedCount()
  }
}

function differencesOf(changes: readonly Change[], isTooLarge: boolean): readonly Difference[] {
  const found = changes
    .filter(({ rule }) => !isCompatibleRule(rule))
    .map(({ rule, path }) => ({ rule, path: `#/${path}`, message: ruleText(rule) }))
  if (!isTooLarge) return found
  const message = `the schemas refer to one another in too many ways to be compared`
  return [...found, { rule: 'SCHEMA_TOO_COMPLEX', path: '#/', message }]
}

function onePass(comparePair: ComparePair, known: Pairs, pairsMax: number) {
  const done: Pairs = new Map()
  const open: Map<JsonSchema, Set<JsonSchema>> = new Map()
  const deferred: (readonly [JsonSchema, JsonSchema])[] = []
  let hasGuessed = false
  let pairs = 0
  let depth = 0
  const compare: Compare = (givenOld, givenNext) => {
    const old = givenOld.kind === 'ref' ? givenOld.resolve() : givenOld
    const next = givenNext.kind === 'ref' ? givenNext.resolve() : givenNext
    const before = done.get(old)?.get(next)
    if (before !== undefined) return before
    const opened = open.get(old) ?? new Set()
    open.set(old, opened)
    if (opened.has(next) || depth >= DEPTH_MAX) {
      hasGuessed = true
      if (!opened.has(next)) deferred.push([old, next])
      return known.get(old)?.get(next) ?? []
    }
    if (++pairs > pairsMax) return []
    opened.add(next)
    depth++
    // What is allowed matters no further up; of what is not, the first tell enough.
    const found = comparePair(old, next, compare)
      .filter(({ rule }) => !isCompatibleRule(rule))
      .slice(0, CHANGES_MAX)
    opened.delete(next)
    depth--
    const ofOld = done.get(old) ?? new Map<JsonSchema, readonly Change[]>()
    done.set(old, ofOld)
    ofOld.set(next, found)
    return found
  }
  const refused = (): Pairs => {
    const kept: Pairs = new Map()
    for (const [old, byNext] of done)
      for (const [next, changes] of byNext)
        if (!isAllowed(changes)) {
          const ofOld = kept.get(old) ?? new Map<JsonSchema, readonly Change[]>()
          kept.set(old, ofOld.set(next, changes))
        }
    return kept
  }
  return {
    compare,
    compareDeferred() {
      for (let pair = deferred.pop(); pair !== undefined; pair = deferred.pop()) compare(...pair)
    },
    hasGuessed: () => hasGuessed,
    pairs: () => pairs,
    refused,
    refusedCount: () => [...refused().values()].reduce((sum, { size }) => sum + size, 0),
  }
}

export function isAllowed(changes: readonly Change[]): boolean {
  return changes.every(({ rule }) => isCompatibleRule(rule))
}

/** The changes of something further down. */
export function below(path: string, changes: readonly Change[]): readonly Change[] {
  return changes.map((change) => ({
    rule: change.rule,
    path: change.path === '' ? path : `${path}/${change.path}`,
  }))
}

/** What a limit's change is called: `name` is 'MAX_LENGTH' and the like. */
export function limitChange(
  path: string,
  name: string,
  old: number | undefined,
  next: number | undefined,
): readonly Change[] {
  if (old === next) return []
  if (old === undefined) return [{ rule: `${name}_ADDED`, path }]
  if (next === undefined) return [{ rule: `${name}_REMOVED`, path }]
  return [{ rule: `${name}_${old < next ? 'INCREASED' : 'DECREASED'}`, path }]
}

export function isSubset(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  for (const each of some) if (!all.has(each)) return false
  return true
}
