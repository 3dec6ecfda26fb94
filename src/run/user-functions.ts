/** Loads the modules of users' functions: before a script that declares them is bound, and before a plan that calls them runs. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type AggregateCode,
  type AsyncCode,
  type ProcessCode,
  rememberUserCode,
  type ScalarCode,
  type UserCode,
} from '../compile/user-code.ts'
import type { DataType } from '../data/types.ts'
import { MillraceError } from '../errors.ts'
import {
  type ProcessType,
  type UserFunctionType,
  userFunctionId,
  userFunctionPlace,
} from '../plan/functions/user.ts'

export interface FunctionPlace {
  /** A path, relative to the base directory. */
  readonly module: string
  readonly export: string
}

/** By `module#export`. @throws FUNCTION_UNREADABLE */
export async function loadUserFunctions(
  places: readonly FunctionPlace[],
  baseDirectory: string,
): Promise<ReadonlyMap<string, UserFunctionType>> {
  const loaded = new Map<string, UserFunctionType>()
  for (const place of places) {
    const key = `${place.module}#${place.export}`
    if (!loaded.has(key)) loaded.set(key, await loadOne(place, baseDirectory))
  }
  return loaded
}

/** All that a plan calls, whatever it is made of. */
export async function loadFunctionsOf(plan: unknown, baseDirectory: string): Promise<void> {
  const ids = JSON.stringify(plan).matchAll(/"function":"(USER [^"]*)"/g)
  const places = [...new Set([...ids].map(([, id]) => id!))].map(userFunctionPlace)
  await loadUserFunctions(places, baseDirectory)
}

async function loadOne(
  { module, export: name }: FunctionPlace,
  baseDirectory: string,
): Promise<UserFunctionType> {
  const exported = await imported(module, baseDirectory)
  const found = exported[name]
  if (!isUserFunction(found))
    throw unreadable(module, `it exports no function for SQL called ${name}`, Object.keys(exported))
  const type = typeOf(found, { module, export: name })
  rememberUserCode(userFunctionId(type), codeOf(found))
  return type
}

function typeOf(found: Exported, place: FunctionPlace): UserFunctionType {
  const { args, returns, version } = found
  const shared = { ...place, version, args, returns }
  if (found.kind === 'process-function')
    return { ...shared, kind: 'process', process: found.process }
  if (found.kind === 'async-function') {
    const kind = found.isTable ? 'table' : 'scalar'
    return { ...shared, kind, isAsync: true }
  }
  if (found.kind !== 'aggregate-function')
    return { ...shared, kind: found.kind === 'scalar-function' ? 'scalar' : 'table' }
  const { retract, merge } = found.code
  const able = { retracts: retract !== undefined, merges: merge !== undefined }
  return { ...shared, kind: 'aggregate', state: found.state, ...able }
}

function codeOf(found: Exported): UserCode {
  if (found.kind === 'process-function') {
    const fields = found.process.output
    return { ...found.code, kind: 'process', output: { kind: 'row', fields, nullable: false } }
  }
  if (found.kind === 'async-function') {
    const { code: call, isTable, asking } = found
    return { kind: 'async', call, isTable, asking }
  }
  if (found.kind === 'aggregate-function')
    return { ...found.code, kind: 'aggregate', state: found.state }
  const kind = found.kind === 'scalar-function' ? 'scalar' : 'table'
  return { kind, deterministic: found.deterministic === true, call: found.code }
}

async function imported(
  module: string,
  baseDirectory: string,
): Promise<Readonly<Record<string, unknown>>> {
  const url = pathToFileURL(resolve(baseDirectory, module)).href
  try {
    return await import(url)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw unreadable(module, reason, [], cause)
  }
}

type Exported = ExportedRowFunction | ExportedAsync | ExportedAggregate | ExportedProcess

interface ExportedAsync {
  readonly kind: 'async-function'
  readonly isTable: boolean
  readonly args: readonly DataType[]
  readonly returns: DataType
  readonly version: string
  readonly asking: AsyncCode['asking']
  readonly code: AsyncCode['call']
}

interface ExportedRowFunction {
  readonly kind: 'scalar-function' | 'table-function'
  readonly args: readonly DataType[]
  readonly returns: DataType
  readonly version: string
  readonly deterministic?: boolean
  readonly code: ScalarCode['call']
}

interface ExportedAggregate {
  readonly kind: 'aggregate-function'
  readonly args: readonly DataType[]
  readonly returns: DataType
  readonly version: string
  readonly state: AggregateCode['state']
  readonly code: Omit<AggregateCode, 'kind' | 'state'>
}

interface ExportedProcess {
  readonly kind: 'process-function'
  readonly args: readonly DataType[]
  readonly returns: DataType
  readonly version: string
  readonly process: ProcessType
  readonly code: Omit<ProcessCode, 'kind' | 'output'>
}

const ROW_FUNCTIONS: readonly string[] = ['scalar-function', 'table-function', 'async-function']
const METHODS: Readonly<Record<string, readonly string[]>> = {
  'aggregate-function': ['createAccumulator', 'accumulate', 'getValue'],
  'process-function': ['eval'],
}

/** As the library's scalarFunction and its like make them, of whatever copy of it. */
function isUserFunction(value: unknown): value is Exported {
  if (typeof value !== 'object' || value === null) return false
  const given: Readonly<Record<string, unknown>> = { ...value }
  const kind = String(given.kind)
  const isCode =
    METHODS[kind] === undefined
      ? ROW_FUNCTIONS.includes(kind) && typeof given.code === 'function'
      : hasMethods(given.code, METHODS[kind])
  return isCode && Array.isArray(given.args) && typeof given.version === 'string'
}

function hasMethods(code: unknown, names: readonly string[]): boolean {
  if (typeof code !== 'object' || code === null) return false
  const methods: Readonly<Record<string, unknown>> = { ...code }
  return names.every((name) => typeof methods[name] === 'function')
}

function unreadable(
  module: string,
  reason: string,
  exports: readonly string[],
  cause?: unknown,
): MillraceError {
  return new MillraceError('FUNCTION_UNREADABLE', {
    message: `${module} can't be loaded for CREATE FUNCTION: ${reason}`,
    hint:
      exports.length === 0
        ? 'the path starts where the pipeline does; the module must load without running anything'
        : `export it with scalarFunction, tableFunction, asyncFunction, aggregateFunction or processFunction; it exports ${exports.join(', ')}`,
    facts: { module },
    ...(cause === undefined ? {} : { cause }),
  })
}
