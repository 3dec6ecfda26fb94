/** Bounded queries over Kafka tables, in this process. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KAFKA } from '../../scripts/engines/kafka.ts'
import { nestedValue } from '../../src/data/nested-values.ts'
import type { Row } from '../../src/data/values.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { runQuery } from '../../src/run/query.ts'
import { bindText } from '../../src/sql/bind-text.ts'

export interface Asked {
  readonly rows: Row[]
  readonly dead: number
}

/** The script ends with the SELECT. */
export async function ask(
  sql: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Asked> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-kafka-'))
  const bound = bindText(sql, 'q', CONNECTORS)
  assert.deepEqual(
    bound.errors.map(({ message, hint }) => `${message}: ${hint}`),
    [],
  )
  const rows: Row[] = []
  let dead = 0
  try {
    const found = runQuery({
      query: bound.queries[0]!,
      connectors: CONNECTORS,
      ports: nodePorts(),
      dataDirectory: directory,
      baseDirectory: directory,
      environment,
      values: { nested: nestedValue },
      onSideRows: (counts) => {
        dead = counts.dead
      },
    })
    for await (const row of found) rows.push(row)
    return { rows: rows.map((row) => ({ ...row })), dead }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** A table over a topic: JSON from the beginning, unless `options` say otherwise. */
export function table(
  name: string,
  columns: string,
  topic: string,
  options: Readonly<Record<string, string>> = {},
): string {
  const all = {
    connector: 'kafka',
    topic,
    'properties.bootstrap.servers': KAFKA,
    ...(options['value.format'] === undefined ? { format: 'json' } : {}),
    ...options,
  }
  const list = Object.entries(all).map(([key, value]) => `'${key}' = '${value}'`)
  return `CREATE TABLE ${name} (${columns}) WITH (${list.join(', ')});\n`
}
