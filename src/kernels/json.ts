/**
 * The generic JSON path: one record at a time, strictly, into column cells; any key order and spelling.
 *
 * A schema is a tree of nodes that the kernel walks. Before rows are decoded each leaf is told where its cells and validity are;
 * the kernel sets and clears validity bits of the rows it writes, and notes on the node that it met a NULL.
 */
import { type LinearMemory, OVERREAD_BYTES, type Pointer } from '../data/memory.ts'
import type { DataType, Schema } from '../data/types.ts'
import { invariant } from '../errors.ts'
import { wasmBase64 } from './json.generated.ts'

export interface JsonNode {
  /** 'price', 'bid.price', 'tags.element'. */
  readonly path: string
  readonly name: string
  readonly type: DataType
  readonly pointer: Pointer
  /** Fields of a ROW; the element of an ARRAY, the value of a MAP. */
  readonly children: readonly JsonNode[]
}

export interface JsonTree {
  readonly root: JsonNode
  readonly columns: readonly JsonNode[]
  /** Where `node`'s cells and validity are in this batch; forgets NULLs met before. Validity is never 0. */
  place(node: JsonNode, cells: Pointer, validity: Pointer): void
  cellsOf(node: JsonNode): Pointer
  validityOf(node: JsonNode): Pointer
  /** Whether a NULL has been met, or noted, in `node` since it was placed. */
  metNull(node: JsonNode): boolean
  noteNull(node: JsonNode): void
  dispose(): void
}

/** Why a record is refused. `code` is one of JSON_FAULT; `address` and `stop` enclose the value where a column is at fault. */
export interface JsonRowFault {
  readonly code: number
  readonly address: Pointer
  readonly stop: Pointer
  readonly node: JsonNode | undefined
}

export const JSON_FAULT = {
  object: 1,
  key: 2,
  colon: 3,
  brace: 4,
  bracket: 5,
  value: 6,
  literal: 7,
  number: 8,
  control: 9,
  escape: 10,
  unended: 11,
  utf8: 12,
  depth: 13,
  after: 14,
  room: 15,
  type: 20,
  range: 21,
  missing: 22,
  format: 23,
} as const

export interface JsonKernel {
  /** `separator` stands between date and time: ' ' or 'T'. INTERVAL types and maps with keys that are not strings are not for JSON. */
  tree(schema: Schema, separator: ' ' | 'T'): JsonTree
  /** Forgets the room of the last batch. Strings with escapes and nested values go to new arena blocks. */
  startBatch(): void
  decodeRow(tree: JsonTree, address: Pointer, bytes: number, row: number): JsonRowFault | undefined
  /** Cold parts of emitted projections. */
  readonly imports: WebAssembly.ModuleImports
}

interface JsonExports {
  decodeRow(root: Pointer, address: Pointer, bytes: number, row: number): number
  setHeap(from: Pointer, to: Pointer): void
  errorCode(): number
  errorAddress(): number
  errorStop(): number
  errorNodeNumber(): number
  value_x(node: Pointer, address: Pointer, cell: Pointer, stop: Pointer): number
  skip_x(address: Pointer, stop: Pointer): number
  string_x(address: Pointer, stop: Pointer): number
  day_x(address: Pointer): bigint
}

const NODE_BYTES = 64
const FIELD_BYTES = 16
const ROOM_BYTES_MIN = 1 << 16
const KINDS: Readonly<Partial<Record<DataType['kind'], number>>> = {
  boolean: 1,
  tinyint: 2,
  smallint: 3,
  int: 4,
  bigint: 5,
  float: 6,
  double: 7,
  decimal: 8,
  char: 10,
  varchar: 10,
  binary: 11,
  varbinary: 11,
  date: 12,
  time: 13,
  timestamp: 14,
  timestamp_ltz: 15,
  row: 16,
  array: 17,
  map: 18,
}
const DECIMAL_WIDE = 9

let compiled: WebAssembly.Module | undefined

/** The kernel over `memory`'s one linear memory. */
export function createJsonKernel(memory: LinearMemory): JsonKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const latin = new TextDecoder('latin1')
  const parseDouble = (address: number, bytes: number) =>
    Number(latin.decode(memory.u8.slice(address >>> 0, (address >>> 0) + bytes)))
  const instance = new WebAssembly.Instance(compiled, {
    env: { memory: memory.memory, parseDouble },
  })
  const kernel = instance.exports as WebAssembly.Exports & JsonExports
  const nodesOf = new WeakMap<JsonTree, readonly JsonNode[]>()
  let roomBytes = ROOM_BYTES_MIN

  return {
    imports: {
      value_x: kernel.value_x,
      skip_x: kernel.skip_x,
      string_x: kernel.string_x,
      day_x: kernel.day_x,
    },
    tree(schema, separator) {
      const { tree, nodes } = buildTree(memory, schema, separator)
      nodesOf.set(tree, nodes)
      return tree
    },
    startBatch() {
      kernel.setHeap(0, 0)
      roomBytes = ROOM_BYTES_MIN
    },
    decodeRow(tree, address, bytes, row) {
      while (kernel.decodeRow(tree.root.pointer, address, bytes, row) === 0) {
        const code = kernel.errorCode()
        if (code !== JSON_FAULT.room) {
          const node =
            code >= JSON_FAULT.type ? nodesOf.get(tree)![kernel.errorNodeNumber()] : undefined
          return {
            code,
            address: kernel.errorAddress() >>> 0,
            stop: kernel.errorStop() >>> 0,
            node,
          }
        }
        roomBytes = Math.max(2 * roomBytes, 4 * bytes)
        const room = memory.arena.allocate(roomBytes)
        kernel.setHeap(room, room + roomBytes)
      }
      return undefined
    },
  }
}

/**
 * A node, 64 bytes of u32: kind, -, -, -, ...
 *   0 kind  4 nullable  8 precision  12 scale  16 cells  20 validity  24 field count  28 fields
 *   32 element  36 had a NULL  40 number  44 separator
 */
function buildTree(
  memory: LinearMemory,
  schema: Schema,
  separator: ' ' | 'T',
): { readonly tree: JsonTree; readonly nodes: readonly JsonNode[] } {
  const nodes: JsonNode[] = []
  const blocks: { readonly pointer: Pointer; readonly bytes: number }[] = []
  const allocate = (bytes: number): Pointer => {
    const pointer = memory.allocate(bytes)
    blocks.push({ pointer, bytes })
    memory.u8.fill(0, pointer, pointer + bytes + OVERREAD_BYTES / 2)
    return pointer
  }
  const build = (type: DataType, path: string, name: string): JsonNode => {
    const pointer = allocate(NODE_BYTES)
    const children = childrenOf(type).map(([child, childName]) =>
      build(child, path === '' ? childName : `${path}.${childName}`, childName),
    )
    const words = pointer >> 2
    memory.u32[words] = kindOf(type)
    memory.u32[words + 1] = type.nullable ? 1 : 0
    if (type.kind === 'decimal') {
      memory.u32[words + 2] = type.precision
      memory.u32[words + 3] = type.scale
    }
    if (type.kind === 'row') {
      memory.u32[words + 6] = children.length
      memory.u32[words + 7] = fieldTable(memory, allocate, type.fields, children)
    } else if (children[0] !== undefined) memory.u32[words + 8] = children[0].pointer
    const node = { path, name, type, pointer, children }
    memory.u32[words + 10] = nodes.push(node) - 1
    memory.u32[words + 11] = separator.charCodeAt(0)
    return node
  }
  const root = build({ kind: 'row', fields: schema, nullable: false }, '', '')
  const tree: JsonTree = {
    root,
    columns: root.children,
    place(node, cells, validity) {
      memory.u32[(node.pointer >> 2) + 4] = cells
      memory.u32[(node.pointer >> 2) + 5] = validity
      memory.u32[(node.pointer >> 2) + 9] = 0
    },
    cellsOf: (node) => memory.u32[(node.pointer >> 2) + 4]!,
    validityOf: (node) => memory.u32[(node.pointer >> 2) + 5]!,
    noteNull(node) {
      memory.u32[(node.pointer >> 2) + 9] = 1
    },
    metNull: (node) => memory.u32[(node.pointer >> 2) + 9] !== 0,
    dispose() {
      for (const { pointer, bytes } of blocks.splice(0)) memory.free(pointer, bytes)
    },
  }
  return { tree, nodes }
}

function childrenOf(type: DataType): readonly (readonly [DataType, string])[] {
  switch (type.kind) {
    case 'row':
      return type.fields.map((field) => [field.type, field.name] as const)
    case 'array':
      return [[type.element, 'element']]
    case 'map':
      return [[type.value, 'value']]
    default:
      return []
  }
}

function kindOf(type: DataType): number {
  const kind = KINDS[type.kind]
  invariant(kind !== undefined, `${type.kind} is not a type of JSON`)
  return type.kind === 'decimal' && type.precision > 18 ? DECIMAL_WIDE : kind
}

function fieldTable(
  memory: LinearMemory,
  allocate: (bytes: number) => Pointer,
  fields: Schema,
  children: readonly JsonNode[],
): Pointer {
  const table = allocate(FIELD_BYTES * Math.max(1, fields.length))
  fields.forEach(({ name }, index) => {
    const bytes = new TextEncoder().encode(name)
    const at = allocate(bytes.length)
    memory.u8.set(bytes, at)
    const words = (table >> 2) + (FIELD_BYTES / 4) * index
    memory.u32[words] = at
    memory.u32[words + 1] = bytes.length
    memory.u32[words + 2] = children[index]!.pointer
  })
  return table
}
