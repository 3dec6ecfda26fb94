/** Makes a table: version 0, by an exclusive put, so that of several makers one wins and the others find its table. */
import type { Schema } from '../../data/types.ts'
import { commitText, type Metadata } from './actions.ts'
import { type CommitPorts, ENGINE, RACES_MAX, unanswered } from './commit.ts'
import { loadSnapshot } from './log.ts'
import { commitKey } from './log-files.ts'
import { checkPartitionType } from './partition-values.ts'
import { protocolFor } from './protocol.ts'
import type { Snapshot } from './snapshot.ts'
import { hasTimestampNtz, schemaText } from './table-schema.ts'

export interface TableSpecification {
  readonly schema: Schema
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
}

/**
 * The table, made if it was absent.
 *
 * @throws DELTA_TYPE_UNSUPPORTED naming the column
 */
export async function createTable(
  ports: CommitPorts,
  specification: TableSpecification,
): Promise<Snapshot> {
  const { schema, partitionColumns } = specification
  for (const name of partitionColumns) {
    const field = schema.find((candidate) => candidate.name === name)
    if (field !== undefined) checkPartitionType(name, field.type)
  }
  const nowMs = ports.nowMs()
  const metaData: Metadata = {
    id: uuid(ports.random.bytes(16)),
    format: { provider: 'parquet', options: {} },
    schemaString: schemaText(schema),
    partitionColumns: [...partitionColumns],
    configuration: { ...specification.configuration },
    createdTime: nowMs,
  }
  const commitInfo = {
    timestamp: nowMs,
    operation: 'CREATE TABLE',
    operationParameters: { partitionBy: JSON.stringify(partitionColumns) },
    isBlindAppend: true,
    engineInfo: ENGINE,
    // Tells this table's first commit from that of a table made again in its place.
    txnId: uuid(ports.random.bytes(16)),
  }
  const protocol = protocolFor(hasTimestampNtz(schema))
  const text = commitText([{ commitInfo }, { protocol }, { metaData }])
  const bytes = new TextEncoder().encode(text)
  for (let attempt = 0; attempt < RACES_MAX; attempt++) {
    ports.faultPoint('delta-create-before')
    await ports.store.put(commitKey(0), bytes, { ifAbsent: true })
    ports.faultPoint('delta-create-after')
    // Whatever the answer was: the table that is there now is the table.
    const snapshot = await loadSnapshot(ports.store)
    if (snapshot !== undefined) return snapshot
  }
  throw unanswered(ports.store, 'making the table')
}

/** Random version 4. */
export function uuid(random: Uint8Array): string {
  const bytes = Uint8Array.from(random)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Buffer.from(bytes).toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}
