/**
 * Classic checkpoints: one Parquet file with every action that still counts, and the hint that names it.
 *
 * @see Delta protocol, "Checkpoints", "Checkpoint Schema", "Last Checkpoint File"
 */
import type { SchemaElement } from 'hyparquet'
import { writeParquetObjects } from '../../formats/parquet/objects.ts'
import type { ObjectStore } from '../../ports/objects.ts'
import type { Action, StringMap } from './actions.ts'
import { checkpointKey, LAST_CHECKPOINT } from './log-files.ts'
import type { Snapshot } from './snapshot.ts'

const GROUP_ROWS = 16384
const TOMBSTONE_RETENTION_MS = 7 * 86_400_000

/** Writes the checkpoint of `snapshot`, then points `_last_checkpoint` to it. Failing between the two leaves a valid log. */
export async function writeCheckpoint(
  store: ObjectStore,
  snapshot: Snapshot,
  nowMs: number,
  faultPoint: (name: string) => void = () => {},
): Promise<void> {
  const actions = checkpointActions(snapshot, nowMs)
  const rows = actions.map(checkpointRow)
  const bytes = writeParquetObjects(SCHEMA, COLUMNS, rows, GROUP_ROWS)
  await store.put(checkpointKey(snapshot.version), bytes)
  faultPoint('delta-checkpoint-hint')
  const hint = {
    version: snapshot.version,
    size: actions.length,
    sizeInBytes: bytes.length,
    numOfAddFiles: snapshot.files.size,
  }
  await store.put(LAST_CHECKPOINT, new TextEncoder().encode(JSON.stringify(hint)))
}

/** What a checkpoint holds: expired tombstones and removed domains are left out. */
export function checkpointActions(snapshot: Snapshot, nowMs: number): readonly Action[] {
  const expiry = nowMs - TOMBSTONE_RETENTION_MS
  return [
    { protocol: snapshot.protocol },
    { metaData: snapshot.metadata },
    ...[...snapshot.transactions].map(([appId, { version, lastUpdated }]) => ({
      txn: { appId, version, lastUpdated },
    })),
    ...[...snapshot.domains.values()].map((domainMetadata) => ({ domainMetadata })),
    ...[...snapshot.tombstones.values()]
      .filter(({ deletionTimestamp }) => (deletionTimestamp ?? 0) > expiry)
      .map((remove) => ({ remove: { ...remove, dataChange: false } })),
    ...[...snapshot.files.values()].map((add) => ({ add: { ...add, dataChange: false } })),
  ]
}

type Shape =
  | 'string'
  | 'int'
  | 'long'
  | 'boolean'
  | 'strings'
  | 'map'
  | { readonly [name: string]: Shape }

const SHAPES = {
  protocol: {
    minReaderVersion: 'int',
    minWriterVersion: 'int',
    readerFeatures: 'strings',
    writerFeatures: 'strings',
  },
  metaData: {
    id: 'string',
    name: 'string',
    description: 'string',
    format: { provider: 'string', options: 'map' },
    schemaString: 'string',
    partitionColumns: 'strings',
    createdTime: 'long',
    configuration: 'map',
  },
  txn: { appId: 'string', version: 'long', lastUpdated: 'long' },
  add: {
    path: 'string',
    partitionValues: 'map',
    size: 'long',
    modificationTime: 'long',
    dataChange: 'boolean',
    stats: 'string',
    tags: 'map',
    baseRowId: 'long',
    defaultRowCommitVersion: 'long',
    clusteringProvider: 'string',
  },
  remove: {
    path: 'string',
    deletionTimestamp: 'long',
    dataChange: 'boolean',
    extendedFileMetadata: 'boolean',
    partitionValues: 'map',
    size: 'long',
  },
  domainMetadata: { domain: 'string', configuration: 'string', removed: 'boolean' },
} as const satisfies Record<string, Shape>

const COLUMNS = Object.keys(SHAPES)
const SCHEMA: SchemaElement[] = [
  { name: 'spark_schema', num_children: COLUMNS.length },
  ...Object.entries(SHAPES).flatMap(([name, shape]) => elementsOf(name, shape)),
]

function elementsOf(
  name: string,
  shape: Shape,
  repetition: 'OPTIONAL' | 'REQUIRED' = 'OPTIONAL',
): SchemaElement[] {
  const base = { name, repetition_type: repetition }
  if (typeof shape === 'object') {
    const fields = Object.entries(shape)
    const children = fields.flatMap(([field, inner]) => elementsOf(field, inner))
    return [{ ...base, num_children: fields.length }, ...children]
  }
  switch (shape) {
    case 'string':
      return [{ ...base, type: 'BYTE_ARRAY', converted_type: 'UTF8' }]
    case 'int':
      return [{ ...base, type: 'INT32' }]
    case 'long':
      return [{ ...base, type: 'INT64' }]
    case 'boolean':
      return [{ ...base, type: 'BOOLEAN' }]
    case 'strings':
      return [
        { ...base, num_children: 1, converted_type: 'LIST' },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elementsOf('element', 'string'),
      ]
    case 'map':
      return [
        { ...base, num_children: 1, converted_type: 'MAP' },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        ...elementsOf('key', 'string', 'REQUIRED'),
        ...elementsOf('value', 'string'),
      ]
  }
}

function checkpointRow(action: Action): Record<string, unknown> {
  const [kind, member] = Object.entries(action)[0]!
  const shape: Shape = SHAPES[kind as keyof typeof SHAPES]
  return { [kind]: shaped(member, shape) }
}

/** A value in the form the Parquet writer takes for its shape. */
function shaped(value: unknown, shape: Shape): unknown {
  if (value === undefined || value === null) return null
  if (typeof shape === 'object') {
    const members = value as Readonly<Record<string, unknown>>
    return Object.fromEntries(
      Object.entries(shape).map(([name, inner]) => [name, shaped(members[name], inner)]),
    )
  }
  if (shape === 'long') return BigInt(Math.trunc(Number(value)))
  if (shape === 'map')
    return Object.entries(value as StringMap).map(([key, held]) => ({ key, value: held }))
  return value
}
