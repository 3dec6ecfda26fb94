/**
 * Times of rows that are fed in again, as the table that reads the topic wants them: a late row is kept as JSON by the table of
 * types, a source reads 'SQL' or 'ISO-8601' by its option.
 */
import type { Schema } from '../data/types.ts'
import { CONNECTORS } from '../run/connectors.ts'
import type { Project } from './project.ts'
import { loadBind } from './rooms.ts'
import { joinScripts } from './script-text.ts'

export type Rewrite = (row: string) => string

/** For rows into `topic`. Without a table that reads it they stay as they are. */
export async function timesForTopic(project: Project, topic: string): Promise<Rewrite> {
  const bind = await loadBind()
  const { tables } = bind(joinScripts(project.tables).text, 'tables', CONNECTORS)
  const reader = tables.find(
    ({ options }) => options.connector === 'log' && options.topic === topic,
  )
  if (reader === undefined) return (row) => row
  const isIso = reader.options['json.timestamp-format.standard'] === 'ISO-8601'
  return rewrite(reader.schema, isIso ? 'T' : ' ')
}

/** `between` stands between date and time of every top-level column that is a timestamp. */
export function rewrite(schema: Schema, between: 'T' | ' '): Rewrite {
  const names = schema
    .filter(({ type }) => type.kind.startsWith('timestamp'))
    .map(({ name }) => name)
  if (names.length === 0) return (row) => row
  const alternatives = names.map((name) => escaped(JSON.stringify(name))).join('|')
  // Values of strings have their quotes escaped, so that a key in quotes and a colon is a key.
  const times = new RegExp(`(?<=[{,](?:${alternatives}):"\\d{4}-\\d\\d-\\d\\d)[T ](?=\\d\\d:)`, 'g')
  return (row) => row.replace(times, between)
}

/** As it stands, in a regular expression. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
