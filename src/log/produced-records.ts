/** Records as producers hand them over: checked, freed of what is known, and made into batches. */
import { MillraceError } from '../errors.ts'
import type { BatchBuilder, LogRecord } from './batch-builder.ts'
import { EVENT_ID_HEADER, type EventIds } from './event-ids.ts'
import type { TopicDescription } from './topics.ts'

/** A record to append. With an event id it is appended once, however often it is sent (within the topic's window). */
export interface ProducedRecord extends LogRecord {
  readonly eventId?: string
}

/** Records of one call are cut into batches of about this many bytes. */
const BATCH_BYTES = 1 << 20
const encoder = new TextEncoder()

/** Those that are not known by their event id, each id once. */
export function withoutKnown(
  records: readonly ProducedRecord[],
  ids: EventIds,
  endOffset: number,
): ProducedRecord[] {
  const here = new Set<string>()
  return records.filter(({ eventId }) => {
    if (eventId === undefined) return true
    if (ids.has(eventId, endOffset) || here.has(eventId)) return false
    here.add(eventId)
    return true
  })
}

/**
 * The batches that the records make, in order, not stamped. `builder` is empty whenever a batch is handed out: others may use it
 * meanwhile.
 */
export function* batchesOf(
  builder: BatchBuilder,
  records: readonly ProducedRecord[],
  topic: TopicDescription,
  nowMs: number,
): Generator<Uint8Array> {
  const { compression, messageBytesMax } = topic.config
  const bytesMax = Math.min(BATCH_BYTES, messageBytesMax)
  try {
    for (const record of records) {
      if (builder.count > 0 && builder.bytes + recordBytes(record) > bytesMax)
        yield builder.finish(compression)
      builder.add(withEventId(record), nowMs)
    }
    if (builder.count > 0) yield builder.finish(compression)
  } finally {
    builder.clear()
  }
}

function withEventId(record: ProducedRecord): LogRecord {
  if (record.eventId === undefined) return record
  const header = { key: EVENT_ID_HEADER, value: encoder.encode(record.eventId) }
  return { ...record, headers: [...(record.headers ?? []), header] }
}

/** Before anything is appended: a call's records go in together or not at all. */
export function checkRecords(topic: TopicDescription, records: readonly ProducedRecord[]): void {
  const { messageBytesMax, cleanupPolicy } = topic.config
  for (const [index, record] of records.entries()) {
    const bytes = recordBytes(record)
    if (bytes > messageBytesMax)
      throw new MillraceError('LOG_RECORD_TOO_LARGE', {
        message: `record ${index} has ${bytes} bytes; topic ${topic.name} takes ${messageBytesMax}`,
        hint: "raise the topic's max.message.bytes, or send smaller records",
        facts: { topic: topic.name, index, bytes, bytesMax: messageBytesMax },
      })
    if (cleanupPolicy === 'compact' && (record.key ?? null) === null)
      throw new MillraceError('LOG_KEY_MISSING', {
        message: `record ${index} has no key, and topic ${topic.name} keeps the last record of each key`,
        hint: 'give every record a key, or create the topic with cleanup.policy=delete',
        facts: { topic: topic.name, index },
      })
  }
}

/** With what the batch and the record add, rounded up. */
function recordBytes(record: ProducedRecord): number {
  let bytes = 128 + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  bytes += 3 * (record.eventId?.length ?? 0)
  for (const { key, value } of record.headers ?? [])
    bytes += 12 + 3 * key.length + (value?.length ?? 0)
  return bytes
}
