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
import type { DataType, Schema } from '../../data/types.ts'
import { createJsonKernel } from '../../kernels/json.ts'
import { createJsonTree, type JsonNode, type JsonTree } from '../../kernels/json-tree.ts'
import { checkJsonType } from './check-type.ts'
import { faultText } from './fault.ts'
import { createProjector } from './projector.ts'

export interface JsonDecoderOptions {
  readonly memory: LinearMemory
  /** The columns to deliver, in order. Values of other keys are checked as JSON only. */
  readonly schema: Schema
  /** 'json.timestamp-format.standard' */
  readonly timestampFormat?: 'SQL' | 'ISO-8601'
  /** Rows of a layout that are decoded at once; 3 unless told. */
  readonly lanes?: 1 | 2 | 3 | 4
  /** Rows decoded the generic way before a layout is predicted. */
  readonly rowsBeforeLayout?: number
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

/** Below so many rows a layout is not worth emitting. */
const ROWS_BEFORE_LAYOUT = 1024

/** Types whose values are written anew, into room of their own. */
const ENCODED: ReadonlySet<DataType['kind']> = new Set(['array', 'map', 'binary', 'varbinary'])

/** @throws JSON_TYPE_UNSUPPORTED for columns of a type that JSON records can't be decoded to */
export function createJsonDecoder(options: JsonDecoderOptions): JsonDecoder {
  const { memory, schema } = options
  for (const field of schema) checkJsonType(field.type, field.name)
  const separator = options.timestampFormat === 'ISO-8601' ? 'T' : ' '
  const kernel = createJsonKernel(memory)
  const tree = createJsonTree(memory, schema, separator)
  const needsRoom = tree.nodes.some(({ type }) => ENCODED.has(type.kind))
  const projector = createProjector({
    memory,
    kernel,
    tree,
    separator,
    lanes: options.lanes ?? 3,
    rowsBefore: options.rowsBeforeLayout ?? ROWS_BEFORE_LAYOUT,
  })

  return {
    decode(values, count) {
      kernel.startBatch(needsRoom)
      const missed = projector.project(values, count)
      const dead: DeadJson[] = []
      let sampleRow = -1
      for (let from = 0; from < missed.count; ) {
        const { at, fault } = kernel.decodeRows(tree, values, missed.misses, from, missed.count)
        if (at > from) sampleRow = memory.u32[(missed.misses >> 2) + at - 1]!
        if (fault !== undefined) {
          const row = memory.u32[(missed.misses >> 2) + at]!
          const address = memory.u32[(values >> 2) + 2 * row]!
          dead.push({ row, reason: faultText(memory, address, fault) })
        }
        from = at + 1
      }
      const sample = sampleRow < 0 ? undefined : recordAt(values, sampleRow)
      projector.learn(sample, missed.count - dead.length, count)
      return {
        columns: tree.columns.map((node) => vectorOf(tree, node)),
        rowCount: count,
        selection: dead.length === 0 ? 0 : selectGood(memory, count, dead),
        count: count - dead.length,
        dead,
      }
    },
    dispose() {
      tree.dispose()
      projector.dispose()
    },
  }

  function recordAt(values: Pointer, row: number): Uint8Array {
    const at = (values >> 2) + 2 * row
    return memory.u8.slice(memory.u32[at]!, memory.u32[at]! + memory.u32[at + 1]!)
  }
}

function vectorOf(tree: JsonTree, node: JsonNode): Vector {
  const validity = tree.metNull(node) ? tree.validityOf(node) : 0
  if (node.type.kind !== 'row') return { type: node.type, cells: tree.cellsOf(node), validity }
  const children = node.children.map((child) => vectorOf(tree, child))
  return { type: node.type, cells: 0, validity, children }
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
