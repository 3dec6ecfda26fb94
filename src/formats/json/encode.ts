/**
 * Rows of a batch as JSON records, exactly: 64-bit integers and decimals in full, floats by their shortest text.
 *
 * As Flink's JSON format writes: NULLs are written out, BYTES as base64, timestamps 'SQL' ('2026-01-31 23:59:59.5') or ISO-8601
 * (with a T), TIMESTAMP_LTZ with a Z behind, fractions without trailing zeros. Stated differences: decimals are never in
 * scientific notation; NaN and the infinities stand in quotes, as the decoder takes them.
 */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { createEncodeKernel } from '../../kernels/encode.ts'
import {
  createJsonTree,
  type JsonNode,
  type JsonTree,
  type NullKey,
} from '../../kernels/json-tree.ts'
import { checkJsonType } from './check-type.ts'

export interface JsonEncoderOptions {
  readonly memory: LinearMemory
  /** Of the batches' columns. */
  readonly schema: Schema
  /** 'json.timestamp-format.standard' */
  readonly timestampFormat?: 'SQL' | 'ISO-8601'
  /** 'json.map-null-key.mode' and '.literal' */
  readonly nullKey?: NullKey
}

export interface JsonEncoder {
  /** One object a selected row: cells of bytes (address | length << 32) by position, `batch.count` of them, in the arena. */
  encode(batch: Batch): Pointer
  dispose(): void
}

/** @throws JSON_TYPE_UNSUPPORTED for columns of a type that JSON records can't hold */
export function createJsonEncoder(options: JsonEncoderOptions): JsonEncoder {
  const { memory, schema } = options
  for (const field of schema) checkJsonType(field.type, field.name)
  const kernel = createEncodeKernel(memory)
  const separator = options.timestampFormat === 'ISO-8601' ? 'T' : ' '
  const tree = createJsonTree(memory, schema, separator, options.nullKey)
  return {
    encode(batch) {
      tree.columns.forEach((node, index) => {
        placeColumn(tree, node, batch.columns[index]!)
      })
      return kernel.encode(tree, batch.selection, batch.count)
    },
    dispose: () => tree.dispose(),
  }
}

function placeColumn(tree: JsonTree, node: JsonNode, vector: Vector): void {
  tree.place(node, vector.cells, vector.validity)
  node.children.forEach((child, index) => {
    const column = vector.children?.[index]
    if (column !== undefined) placeColumn(tree, child, column)
  })
}
