/**
 * A schema as a tree of nodes in linear memory, for the kernels that turn JSON into cells and cells into JSON.
 *
 * Before rows are worked on, each column's node is told where its cells and its validity are.
 */
import { type LinearMemory, OVERREAD_BYTES, type Pointer } from '../data/memory.ts'
import type { DataType, Schema } from '../data/types.ts'
import { invariant } from '../errors.ts'

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
  /** By the number that the kernel knows them by. */
  readonly nodes: readonly JsonNode[]
  /** Where `node`'s cells and validity are in this batch; forgets NULLs met before. Validity is never 0. */
  place(node: JsonNode, cells: Pointer, validity: Pointer): void
  cellsOf(node: JsonNode): Pointer
  validityOf(node: JsonNode): Pointer
  /** Whether a NULL has been met, or noted, in `node` since it was placed. */
  metNull(node: JsonNode): boolean
  noteNull(node: JsonNode): void
  dispose(): void
}

/** What a NULL key of a MAP is written as: JSON has none. */
export type NullKey =
  | { readonly mode: 'FAIL' | 'DROP' }
  | { readonly mode: 'LITERAL'; readonly literal: string }

/** By the kernel's numbers. */
const NULL_KEY_MODES: readonly NullKey['mode'][] = ['FAIL', 'DROP', 'LITERAL']

const NODE_BYTES = 72
const FIELD_BYTES = 16
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

/**
 * A node, 72 bytes of u32:
 *   0 kind  4 nullable  8 precision  12 scale  16 cells  20 validity  24 field count  28 fields
 *   32 element  36 had a NULL  40 number  44 separator of date and time  48 key literal  52 its length
 *   56 what becomes of a NULL key of a MAP that is written  60 the text in its place  64 its length
 *
 * A field, 16 bytes of u32: name, its length, node, 0. `separator` is ' ' or 'T'. INTERVAL types are not JSON's, nor are maps
 * whose keys are not strings.
 */
export function createJsonTree(
  memory: LinearMemory,
  schema: Schema,
  separator: ' ' | 'T',
  nullKey: NullKey = { mode: 'FAIL' },
): JsonTree {
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
    const literal = new TextEncoder().encode(`${JSON.stringify(name)}:`)
    memory.u32[words + 12] = allocate(literal.length)
    memory.u8.set(literal, memory.u32[words + 12]!)
    memory.u32[words + 13] = literal.length
    if (type.kind === 'map') placeNullKey(words)
    return node
  }
  const placeNullKey = (words: number): void => {
    memory.u32[words + 14] = NULL_KEY_MODES.indexOf(nullKey.mode)
    if (nullKey.mode !== 'LITERAL') return
    const text = new TextEncoder().encode(nullKey.literal)
    const at = allocate(text.length)
    memory.u8.set(text, at)
    memory.u32[words + 15] = at
    memory.u32[words + 16] = text.length
  }
  const root = build({ kind: 'row', fields: schema, nullable: false }, '', '')
  return {
    root,
    columns: root.children,
    nodes,
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
