/** All functions by name. A new function is one entry in its group here, and its implementation under the same name in src/compile. */
import { aggregates } from './aggregates.ts'
import { collectionFunctions } from './collection.ts'
import { conditionals } from './conditional.ts'
import { jsonFunctions } from './json.ts'
import { numberFunctions } from './number.ts'
import { operators } from './operators.ts'
import { overFunctions } from './over.ts'
import type { FunctionSignature } from './signature.ts'
import { textFunctions } from './text.ts'
import { timeFunctions } from './time.ts'
import { type UserFunctionType, userSignature } from './user.ts'

const scalars: readonly FunctionSignature[] = [
  ...operators,
  ...conditionals,
  ...numberFunctions,
  ...textFunctions,
  ...timeFunctions,
  ...jsonFunctions,
  ...collectionFunctions,
]
const scalarByName = byName(scalars)
const aggregateByName = byName(aggregates)
const overByName = byName(overFunctions)

/** Those of the script that is being bound: binding is one synchronous step. */
let userFunctions: ReadonlyMap<string, UserFunctionType> = new Map()

/** Runs `bind` with more functions, by upper-case name: they hide built-in ones, as in Flink. */
export function withUserFunctions<Result>(
  functions: ReadonlyMap<string, UserFunctionType>,
  bind: () => Result,
): Result {
  const before = userFunctions
  userFunctions = functions
  try {
    return bind()
  } finally {
    userFunctions = before
  }
}

/** Of the script that is being bound. */
export function userFunctionNamed(name: string): UserFunctionType | undefined {
  return userFunctions.get(name.toUpperCase())
}

/** `name` in any case, or an alias. */
export function functionNamed(name: string): FunctionSignature | undefined {
  const users = userFunctionNamed(name)
  if (users === undefined) return scalarByName.get(name.toUpperCase())
  return users.kind === 'scalar' || users.kind === 'table' ? userSignature(name, users) : undefined
}
/** Of the functions themselves, without aliases, in alphabetical order. */
export function functionNames(): readonly string[] {
  return scalars.map(({ name }) => name).sort()
}
export function aggregateNamed(name: string): FunctionSignature | undefined {
  const users = userFunctionNamed(name)
  if (users === undefined) return aggregateByName.get(name.toUpperCase())
  return users.kind === 'aggregate' ? userSignature(name, users) : undefined
}
/** What may stand with OVER: aggregates, and functions that stand nowhere else. */
export function overNamed(name: string): FunctionSignature | undefined {
  return overByName.get(name.toUpperCase()) ?? aggregateNamed(name)
}
/** True for functions that are nothing without OVER. */
export function isOverOnly(name: string): boolean {
  return overByName.has(name.toUpperCase())
}
export function overNames(): readonly string[] {
  return [...overFunctions, ...aggregates].map(({ name }) => name).sort()
}
export function aggregateNames(): readonly string[] {
  return aggregates.map(({ name }) => name).sort()
}

function byName(list: readonly FunctionSignature[]): ReadonlyMap<string, FunctionSignature> {
  return new Map(
    list.flatMap((entry) =>
      [entry.name, ...(entry.aliases ?? [])].map((name) => [name, entry] as const),
    ),
  )
}
