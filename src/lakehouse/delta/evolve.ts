/** Adds columns to a table that lacks them: a metaData commit of its own. */
import { type Schema, withNullability } from '../../data/types.ts'
import { type Action, commitText, type Protocol } from './actions.ts'
import { type CommitPorts, ENGINE, RACES_MAX, unanswered } from './commit.ts'
import { advance } from './log.ts'
import { commitKey } from './log-files.ts'
import { supportsTimestampNtz } from './protocol.ts'
import type { Snapshot } from './snapshot.ts'
import { hasTimestampNtz, parseSchemaText, schemaTextWith } from './table-schema.ts'

/** The table with `columns` at its end, those that another writer has added meanwhile left out. */
export async function addColumns(
  ports: CommitPorts,
  snapshot: Snapshot,
  columns: Schema,
): Promise<Snapshot> {
  let latest = snapshot
  for (let attempt = 0; attempt < RACES_MAX; attempt++) {
    latest = (await advance(ports.store, latest))?.snapshot ?? latest
    const held = new Set(parseSchemaText(latest.metadata.schemaString).map(({ name }) => name))
    const missing = columns.filter(({ name }) => !held.has(name))
    if (missing.length === 0) return latest
    const bytes = new TextEncoder().encode(commitText(evolution(latest, missing, ports.nowMs())))
    await ports.store.put(commitKey(latest.version + 1), bytes, { ifAbsent: true })
  }
  throw unanswered(ports.store, 'adding columns to')
}

function evolution(latest: Snapshot, missing: Schema, nowMs: number): readonly Action[] {
  // Rows that are there have no value for them, whatever the declaration says.
  const nullable = missing.map(({ name, type }) => ({ name, type: withNullability(type, true) }))
  const schemaString = schemaTextWith(latest.metadata.schemaString, nullable)
  const needsNtz = hasTimestampNtz(missing) && !supportsTimestampNtz(latest.protocol)
  const commitInfo = {
    timestamp: nowMs,
    operation: 'ADD COLUMNS',
    operationParameters: { columns: JSON.stringify(missing.map(({ name }) => name)) },
    engineInfo: ENGINE,
  }
  return [
    { commitInfo },
    ...(needsNtz ? [{ protocol: withTimestampNtz(latest.protocol) }] : []),
    { metaData: { ...latest.metadata, schemaString } },
  ]
}

/** @see Delta protocol, "Table Features for New and Existing Tables": what older versions implied becomes named. */
function withTimestampNtz(protocol: Protocol): Protocol {
  const implied = protocol.minWriterVersion < 7 ? impliedFeatures(protocol.minWriterVersion) : []
  const writers = new Set([...implied, ...(protocol.writerFeatures ?? []), 'timestampNtz'])
  const readers = new Set([...(protocol.readerFeatures ?? []), 'timestampNtz'])
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: [...readers],
    writerFeatures: [...writers],
  }
}

function impliedFeatures(writerVersion: number): readonly string[] {
  const features: [number, string][] = [
    [2, 'appendOnly'],
    [2, 'invariants'],
    [3, 'checkConstraints'],
    [4, 'changeDataFeed'],
    [4, 'generatedColumns'],
    [6, 'identityColumns'],
  ]
  return features.filter(([from]) => writerVersion >= from).map(([, feature]) => feature)
}
