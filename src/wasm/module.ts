/**
 * Modules emitted at run time: functions over one imported memory, and functions imported from other modules.
 *
 *   const module = defineModule()
 *   const twice = module.func('twice', ['i32'], 'i32')
 *   twice.body(i32.add(get(twice.param(0, 'i32')), get(twice.param(0, 'i32'))))
 *   const { exports } = instantiate(module.encode(), memory)
 *
 * @see WebAssembly core specification, section 5.5 (modules)
 */
import { invariant } from '../errors.ts'
import {
  type Expression,
  expression,
  flatten,
  type Local,
  type Statement,
  statement,
  type Tree,
  TYPE_BYTES,
  unsigned,
  type ValueType,
} from './code.ts'

const PAGES_MAX = 65536

export interface FunctionReference {
  readonly params: readonly ValueType[]
  readonly result: ValueType | 'none'
  /** Known once encoded: imports come first. */
  readonly index: () => number
}

export interface FunctionBuilder extends FunctionReference {
  param<Type extends ValueType>(index: number, type: Type): Local<Type>
  local<Type extends ValueType>(type: Type): Local<Type>
  /** Appends; the last part of a function with a result is an expression of its type. */
  body(...parts: (Statement | Expression<ValueType>)[]): void
}

export interface ModuleBuilder {
  /** Imported from module 'k'; `name` must be given to `instantiate`. All imports come before functions are called. */
  import(name: string, params: readonly ValueType[], result: ValueType | 'none'): FunctionReference
  /** Exported by its name. */
  func(name: string, params: readonly ValueType[], result: ValueType | 'none'): FunctionBuilder
  encode(): Uint8Array<ArrayBuffer>
}

interface Defined {
  readonly name: string
  readonly reference: FunctionReference
  readonly locals: ValueType[]
  readonly code: Tree[]
}

export function defineModule(): ModuleBuilder {
  const imported: { readonly name: string; readonly reference: FunctionReference }[] = []
  const defined: Defined[] = []
  return {
    import(name, params, result) {
      invariant(defined.length === 0, 'imports are declared before functions')
      const index = imported.length
      const reference = { params, result, index: () => index }
      imported.push({ name, reference })
      return reference
    },
    func(name, params, result) {
      const index = imported.length + defined.length
      const locals: ValueType[] = []
      const code: Tree[] = []
      const reference = { params, result, index: () => index }
      defined.push({ name, reference, locals, code })
      return {
        ...reference,
        param: (at, type) => {
          invariant(params[at] === type, `parameter ${at} of ${name} is ${params[at]}`)
          return { localType: type, index: at }
        },
        local: (type) => ({ localType: type, index: params.length + locals.push(type) - 1 }),
        body: (...parts) => {
          for (const part of parts) code.push(part.code)
        },
      }
    },
    encode: () => encodeModule(imported, defined),
  }
}

/** Calls with a result are expressions, without one statements. */
export function call<Type extends ValueType>(
  target: FunctionReference,
  result: Type,
  ...values: Expression<ValueType>[]
): Expression<Type> {
  invariant(target.result === result, `a function of result ${target.result}`)
  return expression(result, callCode(target, values))
}
export function callVoid(target: FunctionReference, ...values: Expression<ValueType>[]): Statement {
  invariant(target.result === 'none', `a function of result ${target.result}`)
  return statement(callCode(target, values))
}
function callCode(target: FunctionReference, values: readonly Expression<ValueType>[]): Tree {
  invariant(
    values.length === target.params.length &&
      values.every((value, index) => value.type === target.params[index]),
    `arguments ${values.map(({ type }) => type)} for parameters ${target.params}`,
  )
  return [values.map(({ code }) => code), 0x10, unsigned(target.index())]
}

/** @throws WebAssembly.CompileError if the code is not valid: a mistake of the emitter */
export function instantiate(
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
  imports: WebAssembly.ModuleImports = {},
): WebAssembly.Instance {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory }, k: imports })
}

function encodeModule(
  imported: readonly { readonly name: string; readonly reference: FunctionReference }[],
  defined: readonly Defined[],
): Uint8Array<ArrayBuffer> {
  const functions = [...imported, ...defined]
  const types = functions.map(({ reference: { params, result } }) => [
    0x60,
    ...vector(params.map((type) => [TYPE_BYTES[type]])),
    ...vector(result === 'none' ? [] : [[TYPE_BYTES[result]]]),
  ])
  const memory = [...name('env'), ...name('memory'), 2, 3, 1, ...unsigned(PAGES_MAX)]
  const imports = imported.map((each, index) => [
    ...name('k'),
    ...name(each.name),
    0,
    ...unsigned(index),
  ])
  const exports = defined.map((each) => [
    ...name(each.name),
    0,
    ...unsigned(each.reference.index()),
  ])
  const bodies = defined.map(({ locals, code }) => {
    const body = [...vector(locals.map((type) => [1, TYPE_BYTES[type]])), ...flatten(code), 0x0b]
    return concat(unsigned(body.length), body)
  })
  return new Uint8Array(
    concat(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, types),
      section(2, [memory, ...imports]),
      section(
        3,
        defined.map((_, index) => unsigned(imported.length + index)),
      ),
      section(7, exports),
      section(10, bodies),
    ),
  )
}

// Bodies reach hundreds of kilobytes: never spread them into arguments.
function concat(...parts: readonly (readonly number[])[]): number[] {
  const all: number[] = []
  for (const part of parts) for (const byte of part) all.push(byte)
  return all
}
function vector(items: readonly (readonly number[])[]): number[] {
  return concat(unsigned(items.length), ...items)
}
function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = vector(items)
  return concat([id], unsigned(content.length), content)
}
function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)]
  return [...unsigned(bytes.length), ...bytes]
}
