/** Whole statements in SQL, run to the end of their inputs in a directory of their own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nestedValue } from '../../src/data/nested-values.ts'
import type { Row } from '../../src/data/values.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import type { Ports } from '../../src/ports/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { runQuery } from '../../src/run/query.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'

export interface SqlDirectory {
  readonly directory: string
  readonly dataDirectory: string
  readonly ports: Ports
  /** Runs the INSERTs of `text` until their inputs end. @throws what stops them */
  run(text: string, workers?: number): Promise<void>
  /** The rows of the SELECT in `text`. */
  query(text: string): Promise<Row[]>
  [Symbol.asyncDispose](): Promise<void>
}

export function sqlDirectory(
  environment: Readonly<Record<string, string | undefined>> = {},
): SqlDirectory {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-sql-'))
  const dataDirectory = join(directory, '.millrace')
  const ports = nodePorts()
  const opening = {
    connectors: CONNECTORS,
    ports,
    dataDirectory,
    baseDirectory: directory,
    environment,
  }
  let runs = 0
  return {
    directory,
    dataDirectory,
    ports,
    async run(text, workers = 1) {
      const { pipeline, errors } = bindText(text, `p${runs++}`, CONNECTORS)
      if (errors[0] !== undefined) throw errors[0]
      const handle = await startPipeline({ pipeline: pipeline!, ...opening, until: 'end', workers })
      const outcome = await handle.finished
      if (outcome.kind !== 'finished') throw 'error' in outcome ? outcome.error : outcome
    },
    async query(text) {
      const { queries, errors } = bindText(text, 'q', CONNECTORS)
      if (errors[0] !== undefined) throw errors[0]
      const rows: Row[] = []
      for await (const row of runQuery({
        query: queries[0]!,
        values: { nested: nestedValue },
        ...opening,
      }))
        rows.push(row)
      return rows
    },
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true }),
  }
}
