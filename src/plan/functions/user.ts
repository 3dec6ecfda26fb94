/** Functions that users write: what a binder needs to know of them. Their code is found by their id when the plan runs. */
import type { DataType, Field, Schema } from '../../data/types.ts'
import { withNullability } from '../../data/types.ts'
import { commonTypeOf } from './coercion.ts'
import type { FunctionSignature } from './signature.ts'
import { typeText } from './type-text.ts'

export interface UserFunctionType {
  /** The module as the script names it: './risk.ts'. */
  readonly module: string
  /** Its name in the module. */
  readonly export: string
  /** Part of the identity of what calls it: state made by another version is not gone on with. */
  readonly version: string
  readonly kind: 'scalar' | 'table' | 'aggregate' | 'process'
  /** Of scalar and table functions: it gives a Promise. */
  readonly isAsync?: true
  readonly args: readonly DataType[]
  /** A table function gives an ARRAY of ROWs. */
  readonly returns: DataType
  /** Of aggregates: what a group keeps. */
  readonly state?: DataType
  /** Of aggregates: whether a row can be taken back. */
  readonly retracts?: boolean
  /** Of aggregates: whether what two parts of a group have gathered can be put together. */
  readonly merges?: boolean
  /** Of process functions, whose `args` and `returns` are those of the call beside its table, and of a row. */
  readonly process?: ProcessType
}

export interface ProcessType {
  /** Columns that its table must have. */
  readonly input: Schema
  /** 'set': it is told the rows of a partition, and keeps state for it; 'row': each row by itself. */
  readonly table: 'set' | 'row'
  readonly partition: 'required' | 'optional'
  readonly onTime: 'required' | 'optional'
  readonly args: Schema
  /** ROWs by name. */
  readonly state: readonly Field[]
  readonly output: Schema
}

const PREFIX = 'USER '

/** The `function` of a call in a plan: 'USER ./risk.ts#risk 1'. */
export function userFunctionId({ module, export: name, version }: UserFunctionType): string {
  return `${PREFIX}${module}#${name} ${version}`
}

export function isUserFunction(id: string): boolean {
  return id.startsWith(PREFIX)
}

/** As `explain` names it: its name in the module. */
export function userFunctionName(id: string): string {
  return userFunctionPlace(id).export
}

/** Module, export and version of an id. */
export function userFunctionPlace(
  id: string,
): Pick<UserFunctionType, 'module' | 'export' | 'version'> {
  const place = id.slice(PREFIX.length, id.lastIndexOf(' '))
  const hash = place.lastIndexOf('#')
  return {
    module: place.slice(0, hash),
    export: place.slice(hash + 1),
    version: id.slice(id.lastIndexOf(' ') + 1),
  }
}

/** How a call of `name` is checked: as many arguments, each of its type or one that it holds. */
export function userSignature(name: string, declared: UserFunctionType): FunctionSignature {
  const { args, returns } = declared
  const form = `${name}(${args.map((type) => typeText(withNullability(type, true))).join(', ')})`
  return {
    name: userFunctionId(declared),
    summary: `write ${form}`,
    resolve(given) {
      if (given.length !== args.length)
        return `${name} takes ${args.length} arguments, not ${given.length}: ${form}`
      const wrong = given.findIndex((type, index) => !holds(args[index]!, type))
      if (wrong < 0) return { args, type: returns }
      return `argument ${wrong + 1} of ${form} can't be ${typeText(withNullability(given[wrong]!, true))}`
    },
  }
}

/** Whether a value of type `given` may be told as one of `wanted`. */
export function holds(wanted: DataType, given: DataType): boolean {
  if (given.kind === 'null') return true
  return commonTypeOf([wanted, given])?.kind === wanted.kind
}
