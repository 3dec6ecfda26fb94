/** Nexmark's published queries as scripts: tables, views, and a sink with the columns that the query gives. */

import { withNullability } from '../../src/data/types.ts'
import { typeText } from '../../src/plan/functions/type-text.ts'
import { schemaOf } from '../../src/plan/nodes.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { EVENT_COLUMNS, PUBLISHED, type PublishedName, VIEWS } from './published.ts'

export function isPublished(query: string): query is PublishedName {
  return query in PUBLISHED
}

/** CREATE TABLE of the events, and the views; `options` stand in its WITH clause. */
export function publishedSource(options: string): readonly string[] {
  return [`CREATE TABLE events (${EVENT_COLUMNS}) WITH (${options})`, ...VIEWS]
}

/** CREATE TABLE of a sink for `query`. */
export function publishedSink(query: PublishedName, name: string, options: string): string {
  const text = [...publishedSource("'connector' = 'none'"), PUBLISHED[query]].join(';\n')
  const { queries, errors } = bindText(text, query, [])
  if (errors.length > 0) throw errors[0]!
  // Columns of one name, as of a join: a sink has none.
  const columns = schemaOf(queries[0]!).map(
    ({ type }, index) => `c${index} ${typeText(withNullability(type, true))}`,
  )
  return `CREATE TABLE \`${name}\` (${columns.join(', ')}) WITH (${options})`
}
