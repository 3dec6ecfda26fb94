/** Avro records to column cells: the kernel that walks a plan of how a writer's schema is read. */
import { type LinearMemory, OVERREAD_BYTES, type Pointer } from '../data/memory.ts'
import { wasmBase64 } from './avro.generated.ts'

/** What the kernel does at a place of the writer's schema. Plans are trees, cyclic only where nothing is kept. */
export interface AvroStep {
  readonly kind: AvroStepKind
  /** For messages: 'price', 'lines.element'. */
  readonly path: string
  /** The slot that the value goes to; absent: it is passed over. Of a NULL: the slot that it makes NULL. */
  readonly slot?: number
  /** Fields of a record, branches of a union, the item of an array or map. Filled once: a step may be below itself. */
  readonly children?: AvroStep[]
  /** Bytes of a fixed. */
  readonly size?: number
  readonly symbols?: readonly string[]
  readonly least?: bigint
  readonly greatest?: bigint
  readonly factor?: bigint
  readonly isText?: boolean
}

const KINDS = {
  null: 0,
  boolean: 1,
  integer: 2,
  'integer as double': 3,
  float: 4,
  double: 5,
  bytes: 6,
  fixed: 7,
  enum: 8,
  record: 9,
  union: 10,
  array: 11,
  map: 12,
  decimal: 13,
  'decimal wide': 14,
  'decimal fixed': 15,
  'decimal fixed wide': 16,
  refused: 17,
} as const
export type AvroStepKind = keyof typeof KINDS

export const AVRO_FAULT = {
  end: 1,
  varint: 2,
  branch: 3,
  symbol: 4,
  length: 5,
  utf8: 6,
  range: 7,
  after: 8,
  depth: 9,
  null: 10,
  boolean: 11,
  nothing: 12,
  count: 13,
} as const

export interface AvroFault {
  readonly code: number
  readonly step: AvroStep | undefined
}

/** Where the values of a slot go: `validity` 0 = a NULL is a fault. */
export interface AvroSlot {
  readonly cells: Pointer
  readonly validity: Pointer
}

export interface AvroProgram {
  place(slots: readonly AvroSlot[]): void
  /** Whether a NULL has been put into the slot since it was placed. */
  metNull(slot: number): boolean
  /**
   * The rows [from, to) of the records at `values`, behind `skip` bytes each: the first row that is refused, with `fault` telling
   * why, or `to`.
   */
  decode(values: Pointer, from: number, to: number, skip: number): number
  fault(): AvroFault
  dispose(): void
}

interface AvroExports {
  decodeRows(root: Pointer, values: Pointer, from: number, to: number, skip: number): number
  errorCode(): number
  errorNodeNumber(): number
}

const NODE_BYTES = 64
const I64_MIN = -(2n ** 63n)
const I64_MAX = 2n ** 63n - 1n

let compiled: WebAssembly.Module | undefined

/** Programs over `memory`'s one linear memory. */
export function createAvroKernel(memory: LinearMemory): (root: AvroStep) => AvroProgram {
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.memory } })
  const kernel = instance.exports as WebAssembly.Exports & AvroExports
  return (root) => {
    const nodes = layOut(memory, root)
    return {
      place(slots) {
        for (const { step, pointer } of nodes.list) {
          const slot = step.slot === undefined ? undefined : slots[step.slot]
          memory.u32[(pointer >> 2) + 1] = slot?.cells ?? 0
          memory.u32[(pointer >> 2) + 2] = slot?.validity ?? 0
          memory.u32[(pointer >> 2) + 7] = 0
        }
      },
      metNull: (slot) =>
        nodes.list.some(
          ({ step, pointer }) => step.slot === slot && memory.u32[(pointer >> 2) + 7] !== 0,
        ),
      decode: (values, from, to, skip) =>
        kernel.decodeRows(nodes.root, values, from, to, skip) >>> 0,
      fault: () => {
        const code = kernel.errorCode()
        const isOfStep = code !== AVRO_FAULT.after && code !== AVRO_FAULT.nothing
        return { code, step: isOfStep ? nodes.list[kernel.errorNodeNumber()]?.step : undefined }
      },
      dispose: nodes.dispose,
    }
  }
}

/** A node a step: the layout stands in avro.as.ts. */
function layOut(memory: LinearMemory, root: AvroStep) {
  const list: { readonly step: AvroStep; readonly pointer: Pointer }[] = []
  const known = new Map<AvroStep, Pointer>()
  const blocks: { readonly pointer: Pointer; readonly bytes: number }[] = []
  const allocate = (bytes: number): Pointer => {
    const pointer = memory.allocate(bytes)
    blocks.push({ pointer, bytes })
    memory.u8.fill(0, pointer, pointer + bytes + OVERREAD_BYTES / 2)
    return pointer
  }
  const build = (step: AvroStep): Pointer => {
    const before = known.get(step)
    if (before !== undefined) return before
    const pointer = allocate(NODE_BYTES)
    known.set(step, pointer)
    const number = list.push({ step, pointer }) - 1
    const children = (step.children ?? []).map(build)
    const table = allocate(4 * Math.max(1, children.length))
    memory.u32.set(children, table >> 2)
    const words = pointer >> 2
    memory.u32[words] = KINDS[step.kind]
    memory.u32[words + 3] = children.length
    memory.u32[words + 4] = table
    memory.u32[words + 5] =
      step.kind === 'null'
        ? Number(step.slot !== undefined)
        : (step.size ?? step.symbols?.length ?? 0)
    memory.u32[words + 6] =
      step.symbols === undefined ? 0 : symbolCells(memory, allocate, step.symbols)
    memory.i64[(pointer >> 3) + 4] = step.least ?? I64_MIN
    memory.i64[(pointer >> 3) + 5] = step.greatest ?? I64_MAX
    memory.i64[(pointer >> 3) + 6] = step.factor ?? 1n
    memory.u32[words + 14] = number
    memory.u32[words + 15] = step.isText === true ? 1 : 0
    return pointer
  }
  return {
    root: build(root),
    list,
    dispose() {
      for (const { pointer, bytes } of blocks.splice(0)) memory.free(pointer, bytes)
    },
  }
}

function symbolCells(
  memory: LinearMemory,
  allocate: (bytes: number) => Pointer,
  symbols: readonly string[],
): Pointer {
  const table = allocate(8 * Math.max(1, symbols.length))
  symbols.forEach((symbol, index) => {
    const bytes = new TextEncoder().encode(symbol)
    const address = allocate(bytes.length)
    memory.u8.set(bytes, address)
    memory.u32[(table >> 2) + 2 * index] = address
    memory.u32[(table >> 2) + 2 * index + 1] = bytes.length
  })
  return table
}
