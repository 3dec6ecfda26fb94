/**
 * JSON records to columns, strictly, each bad record set aside with its reason.
 *
 * As Flink's JSON format reads, where it defines an answer: a missing field is NULL; numbers and truth may stand in quotes; a
 * STRING takes any scalar's text and the JSON text of objects and arrays; BYTES are base64; DATE is 2026-01-31, TIME 23:59:59.5,
 * TIMESTAMP '2026-01-31 23:59:59.5' or, with ISO-8601, a T between, TIMESTAMP_LTZ the same and Z behind. CHAR and VARCHAR are
 * not cut to their length.
 *
 * Stated differences, each of them stricter or wider than Flink:
 *   - a value that does not fit its column (12.345 in DECIMAL(10, 2), 1.5 in INT, 'yes' in BOOLEAN, 1e400 in DOUBLE) makes the
 *     record dead; Flink rounds, truncates, takes it for false, or writes NULL
 *   - 1.0 and 1e3 are integers; Flink's are too, but it takes 1.9 for 1 as well
 *   - TIMESTAMP_LTZ takes an offset such as +02:00 besides Z
 *   - of equal keys the last counts, and a fault in an earlier one is forgotten
 *   - numbers in STRING columns keep the text they were written with
 *   - a NOT NULL column that is missing or null makes the record dead
 *   - UTF-8 is checked; nesting is limited to 128 levels
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, type Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { createJsonKernel, type JsonNode } from '../../kernels/json.ts'
import { faultText } from './fault.ts'

export interface JsonDecoderOptions {
  readonly memory: LinearMemory
  /** The columns to deliver, in order. Values of other keys are checked as JSON only. */
  readonly schema: Schema
  /** 'json.timestamp-format.standard' */
  readonly timestampFormat?: 'SQL' | 'ISO-8601'
}

export interface DecodedJson {
  /** `rowCount` cells each, in the arena; those of dead rows hold anything. */
  readonly columns: readonly Vector[]
  readonly rowCount: number
  /** The good rows, ascending; 0 = all are good. */
  readonly selection: Pointer
  /** Good rows. */
  readonly count: number
  /** Ascending by row. */
  readonly dead: readonly DeadJson[]
}

export interface DeadJson {
  readonly row: number
  readonly reason: string
}

export interface JsonDecoder {
  /**
   * `values` are `count` cells of bytes, address | length << 32, 0 = no value (NULL): a dead row. The bytes must stay while
   * the columns are used: strings point into them.
   */
  decode(values: Pointer, count: number): DecodedJson
  dispose(): void
}

/** @throws JSON_TYPE_UNSUPPORTED for columns of a type that JSON records can't be decoded to */
export function createJsonDecoder(options: JsonDecoderOptions): JsonDecoder {
  const { memory, schema } = options
  for (const field of schema) checkType(field.type, field.name)
  const kernel = createJsonKernel(memory)
  const tree = kernel.tree(schema, options.timestampFormat === 'ISO-8601' ? 'T' : ' ')

  return {
    decode(values, count) {
      kernel.startBatch()
      for (const node of tree.columns) placeColumn(memory, tree.place, node, count)
      const dead: DeadJson[] = []
      for (let row = 0; row < count; row++) {
        const reason = decodeRow(values, row)
        if (reason !== undefined) dead.push({ row, reason })
      }
      return {
        columns: tree.columns.map((node) => vectorOf(node)),
        rowCount: count,
        selection: dead.length === 0 ? 0 : selectGood(memory, count, dead),
        count: count - dead.length,
        dead,
      }
    },
    dispose: () => tree.dispose(),
  }

  function decodeRow(values: Pointer, row: number): string | undefined {
    const at = (values >> 2) + 2 * row
    const address = memory.u32[at]!
    if (address === 0) return 'the record has no value'
    const fault = kernel.decodeRow(tree, address, memory.u32[at + 1]!, row)
    return fault === undefined ? undefined : faultText(memory, address, fault)
  }

  function vectorOf(node: JsonNode): Vector {
    const words = node.pointer >> 2
    const cells = memory.u32[words + 4]!
    const validity = tree.metNull(node) ? memory.u32[words + 5]! : 0
    if (node.type.kind !== 'row') return { type: node.type, cells, validity }
    return { type: node.type, cells: 0, validity, children: node.children.map(vectorOf) }
  }
}

function placeColumn(
  memory: LinearMemory,
  place: (node: JsonNode, cells: Pointer, validity: Pointer) => void,
  node: JsonNode,
  count: number,
): void {
  const validityBytes = (count + 7) >> 3
  const validity = memory.arena.allocate(validityBytes)
  memory.u8.fill(255, validity, validity + validityBytes)
  place(node, memory.arena.allocate(cellBytes(node.type) * count), validity)
  if (node.type.kind === 'row')
    for (const child of node.children) placeColumn(memory, place, child, count)
}

function selectGood(memory: LinearMemory, count: number, dead: readonly DeadJson[]): Pointer {
  const selection = memory.arena.allocate(4 * count)
  let next = 0
  let at = selection >> 2
  for (let row = 0; row < count; row++) {
    if (dead[next]?.row === row) next++
    else memory.u32[at++] = row
  }
  return selection
}

function checkType(type: DataType, column: string): void {
  const refuse = (what: string): MillraceError =>
    new MillraceError('JSON_TYPE_UNSUPPORTED', {
      message: `column ${column}: JSON has no ${what}`,
      hint: 'declare the column as BIGINT or STRING and convert it in a computed column',
      facts: { column },
    })
  switch (type.kind) {
    case 'interval_day_second':
    case 'interval_year_month':
    case 'null':
      throw refuse(type.kind.replaceAll('_', ' ').toUpperCase())
    case 'row':
      for (const field of type.fields) checkType(field.type, `${column}.${field.name}`)
      return
    case 'array':
      checkType(type.element, column)
      return
    case 'map':
      if (type.key.kind !== 'varchar' && type.key.kind !== 'char')
        throw refuse(`MAP with ${type.key.kind.toUpperCase()} keys: its keys are strings`)
      checkType(type.value, column)
  }
}
