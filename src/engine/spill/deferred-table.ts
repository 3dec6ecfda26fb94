/** Rows that wait for state that is out of memory, in a checkpoint: chunks of the parts' logs, by part and number. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { KEY_GROUPS } from '../../state/keyed-table.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { schemaChanged } from '../../state/table-errors.ts'
import { type DeferredChanges, replayChunk } from './deferred-rows.ts'

export const DEFERRED_TABLE = 'deferred rows'

/** By the number of their part. */
export function writeDeferred(
  writer: StateWriter,
  schemas: readonly Schema[],
  replaces: boolean,
  changes: ReadonlyMap<number, DeferredChanges>,
): void {
  writer.table(DEFERRED_TABLE, (sink) => {
    sink.schema(schemaText(schemas))
    if (replaces) sink.replace()
    for (const [part, { added, removed }] of changes) {
      const group = part % KEY_GROUPS
      for (const chunk of removed) sink.remove(group, keyOf(part, chunk))
      for (const { number, bytes } of added) sink.put(group, keyOf(part, number), bytes)
    }
  })
}

/**
 * The rows of the reader's key groups, those of one key in their order; true if there were any.
 * @throws CHECKPOINT_MISMATCH if they are of other columns
 */
export function readDeferred(
  reader: StateReader,
  memory: LinearMemory,
  schemas: readonly Schema[],
  deal: (batch: Batch, input: number, watermarkUs: bigint) => void,
): boolean {
  const schema = reader.source(DEFERRED_TABLE)?.schema
  if (schema === undefined) return false
  const chunks: { readonly key: string; readonly bytes: Uint8Array }[] = []
  reader.table(DEFERRED_TABLE, (_group, key, bytes) => {
    chunks.push({ key: Buffer.from(key).toString('hex'), bytes: bytes.slice() })
  })
  if (chunks.length > 0 && schema !== schemaText(schemas))
    throw schemaChanged(schema, schemaText(schemas))
  chunks.sort((left, right) => (left.key < right.key ? -1 : 1))
  for (const { bytes } of chunks) replayChunk({ memory, schemas }, bytes, deal)
  return true
}

function schemaText(schemas: readonly Schema[]): string {
  return `deferred 1 ${JSON.stringify(schemas.map((schema) => schema.map(({ type }) => type)))}`
}

function keyOf(part: number, chunk: number): Uint8Array {
  const key = new Uint8Array(8)
  const view = new DataView(key.buffer)
  view.setUint32(0, part)
  view.setUint32(4, chunk)
  return key
}
