/** Rows that come over HTTP are held to the schema of their topic's subject, where it has one: all of a request, or none of it. */
import { MillraceError } from '../errors.ts'
import type { SchemaId } from '../formats/schema-source.ts'
import type { Ports } from '../ports/ports.ts'
import { type LineSchema, openLineSchema } from '../registry/line-schema.ts'
import { localSchemas } from '../registry/local-source.ts'
import type { ProducedRecord } from './protocol.ts'
import type { AppendRows } from './topic-routes.ts'

/** Schemas that are kept open: one a topic, and a few of yesterday's. */
const OPEN_MAX = 100

/**
 * Appends what `append` is given as the subject's records are written.
 * @throws HTTP_BODY_INVALID naming the first row that does not fit, and what `append` throws
 */
export function heldToSchemas(ports: Ports, dataDirectory: string, append: AppendRows): AppendRows {
  const schemas = localSchemas(ports, dataDirectory)
  const open = new Map<SchemaId, Promise<LineSchema>>()
  return async (topic, records) => {
    const latest = await schemas.latest(`${topic}-value`)
    if (latest === undefined) return append(topic, records)
    if (open.size >= OPEN_MAX) open.clear()
    const opening = open.get(latest.id) ?? openLineSchema(latest)
    open.set(latest.id, opening)
    return append(topic, fitting(await opening, topic, records))
  }
}

function fitting(
  schema: LineSchema,
  topic: string,
  records: readonly ProducedRecord[],
): readonly ProducedRecord[] {
  return schema.convert(records.map(({ value }) => value)).map((each, index) => {
    if ('reason' in each)
      throw new MillraceError('HTTP_BODY_INVALID', {
        message: `row ${index} does not fit the schema of ${topic}-value: ${each.reason}`,
        hint: `see the schema at /subjects/${topic}-value/versions/latest`,
        facts: { topic, row: index },
      })
    const value = Buffer.from(each.bytes).toString('base64')
    return { ...records[index]!, value, encoding: 'base64' as const }
  })
}
