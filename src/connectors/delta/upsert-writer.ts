/**
 * The writer of an upsert: changed rows are staged in a file beside the table, in the order they came. They meet the table's rows
 * at commit, when it is known which files hold their keys.
 */
import { type Batch, DELETE, UPDATE_BEFORE, type Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { type Schema, types } from '../../data/types.ts'
import { allNullable } from '../../formats/parquet/layout.ts'
import { nullRefused } from '../../formats/parquet/levels.ts'
import type { SinkWriter } from '../contract/sink.ts'
import { upsertCommittable } from './committable.ts'
import { type DataFile, dataFile } from './data-file.ts'
import type { OpenTable, SinkTable } from './table.ts'

/** Hidden from readers of the table by its first character; vacuum knows it. */
export const STAGED = '_millrace/changes/'
export const KIND_COLUMN = '__millrace_kind'
const HELD_BYTES_MAX = 32 << 20

/** The columns of a staged file: all nullable, since a deletion may carry no more than its key. */
export function stagedSchema(schema: Schema): Schema {
  return [...allNullable(schema), { name: KIND_COLUMN, type: types.tinyint }]
}

export function upsertWriter(table: SinkTable, open: OpenTable, memory: LinearMemory): SinkWriter {
  const { ports } = table
  const schema = stagedSchema(open.schema)
  let file: DataFile | undefined
  return {
    write(batch) {
      if (batch.count === 0) return
      checkNotNull(memory, batch, open.schema)
      file ??= dataFile({
        store: ports.store,
        key: `${STAGED}${table.newFileId()}.parquet`,
        schema,
        codec: 'zstd',
      })
      const mark = memory.arena.mark()
      file.write(memory, withoutUpdateBefore(memory, batch), [
        ...batch.columns,
        kindsVector(memory, batch),
      ])
      memory.arena.release(mark)
    },
    get full() {
      return (file?.waitingBytes ?? 0) > HELD_BYTES_MAX
    },
    async drain() {
      await file?.drain()
    },
    async prepare(checkpoint) {
      if (file === undefined || file.rowCount === 0) return undefined
      ports.faultPoint('delta-stage-before')
      const { key } = file
      const written = await file.finish()
      ports.faultPoint('delta-stage-after')
      file = undefined
      const changes = [{ key, rowCount: written.rowCount, bytes: written.bytes }]
      return upsertCommittable(open.snapshot.metadata.id, checkpoint, changes)
    },
    async close() {
      await file?.abort()
      file = undefined
    },
  }
}

/** Here and not at commit, where a row could only stop the pipeline for good. A deletion needs no more than its key. */
function checkNotNull(memory: LinearMemory, batch: Batch, schema: Schema): void {
  const { u8, u32 } = memory
  schema.forEach(({ name, type }, index) => {
    const { validity } = batch.columns[index]!
    if (type.nullable || validity === 0) return
    for (let at = 0; at < batch.count; at++) {
      const row = batch.selection === 0 ? at : u32[(batch.selection >>> 2) + at]!
      const isNull = ((u8[validity + (row >>> 3)]! >> (row & 7)) & 1) === 0
      if (isNull && (batch.kinds === 0 || u8[batch.kinds + row] !== DELETE)) throw nullRefused(name)
    }
  })
}

function kindsVector(memory: LinearMemory, batch: Batch): Vector {
  const cells = memory.arena.allocateCleared(8 * batch.rowCount)
  if (batch.kinds !== 0) {
    for (let row = 0; row < batch.rowCount; row++) {
      memory.u32[(cells >>> 2) + 2 * row] = memory.u8[batch.kinds + row]!
    }
  }
  return { type: types.tinyint, cells, validity: 0 }
}

/** -U says nothing that the +U after it does not say for the same key. */
function withoutUpdateBefore(
  memory: LinearMemory,
  batch: Batch,
): { readonly selection: number; readonly count: number } {
  if (batch.kinds === 0) return batch
  const selection = memory.arena.allocate(4 * batch.count)
  let count = 0
  for (let at = 0; at < batch.count; at++) {
    const row = batch.selection === 0 ? at : memory.u32[(batch.selection >>> 2) + at]!
    if (memory.u8[batch.kinds + row] === UPDATE_BEFORE) continue
    memory.u32[(selection >>> 2) + count++] = row
  }
  return { selection, count }
}
