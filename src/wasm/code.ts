/**
 * WebAssembly code as a tree that knows its value type, flattened once at the end.
 *
 * An *expression* leaves one value on the stack, a *statement* none. Branches name labels, not depths: the depth is found when the
 * tree is flattened, so code can be moved into another block without recounting.
 */
import { invariant } from '../errors.ts'

export type ValueType = 'i32' | 'i64' | 'f64' | 'v128'

export const TYPE_BYTES = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b } as const

/** A place to branch to: the end of a block, or the start of a loop. */
export interface Label {
  readonly name: string
}

interface Branch {
  readonly opcode: number
  readonly to: Label
}

interface Nest {
  readonly label: Label
  readonly opcode: number
  readonly body: readonly Tree[]
  readonly otherwise?: readonly Tree[]
}

/** Bytes, or what becomes bytes once the nesting is known. */
export type Tree = number | Branch | Nest | readonly Tree[]

export interface Expression<Type extends ValueType> {
  readonly type: Type
  readonly code: Tree
}

export interface Statement {
  readonly type: 'none'
  readonly code: Tree
}

export interface Local<Type extends ValueType> {
  readonly localType: Type
  readonly index: number
}

export function expression<Type extends ValueType>(type: Type, ...code: Tree[]): Expression<Type> {
  return { type, code }
}

export function statement(...code: Tree[]): Statement {
  return { type: 'none', code }
}

/** Unsigned LEB128, value in 0..2^32-1. @see WebAssembly core specification, section 5.2.2 */
export function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
  return bytes
}

/** Signed LEB128. */
export function signed(value: bigint): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest < -64n || rest > 63n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest & 0x7fn))
  return bytes
}

const END = 0x0b
const ELSE = 0x05
const VOID = 0x40

/** @throws INVARIANT_BROKEN if a branch names a label it does not stand in */
export function flatten(tree: Tree): number[] {
  const bytes: number[] = []
  const labels: Label[] = []
  const walk = (item: Tree): void => {
    if (typeof item === 'number') bytes.push(item)
    else if ('to' in item) {
      const depth = labels.length - 1 - labels.lastIndexOf(item.to)
      invariant(depth < labels.length, `a branch to ${item.to.name} from outside of it`)
      bytes.push(item.opcode, ...unsigned(depth))
    } else if ('label' in item) {
      labels.push(item.label)
      bytes.push(item.opcode, VOID)
      for (const part of item.body) walk(part)
      if (item.otherwise !== undefined) {
        bytes.push(ELSE)
        for (const part of item.otherwise) walk(part)
      }
      bytes.push(END)
      labels.pop()
    } else for (const part of item) walk(part)
  }
  walk(tree)
  return bytes
}
