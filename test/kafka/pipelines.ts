/** Pipelines over Kafka tables, in this process, by the same way in as the command's. */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import type { Outcome, PipelineStart, RunHandle } from '../../src/run/handle.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-kafka-'))
}

export interface PipelineRequest {
  readonly sql: string
  readonly directory: string
  readonly more?: Partial<PipelineStart>
}

/** @throws what keeps it from starting */
export function start({ sql, directory, more = {} }: PipelineRequest): Promise<RunHandle> {
  const bound = bindText(sql, 'p', CONNECTORS)
  assert.deepEqual(
    bound.errors.map(({ message, hint }) => `${message}: ${hint}`),
    [],
  )
  return startPipeline({
    pipeline: bound.pipeline!,
    connectors: CONNECTORS,
    ports: nodePorts(),
    dataDirectory: directory,
    baseDirectory: directory,
    environment: process.env,
    ...more,
  })
}

export async function runToEnd(request: PipelineRequest): Promise<Outcome> {
  const run = await start({ ...request, more: { until: 'end', ...request.more } })
  const outcome = await run.finished
  assert.equal(outcome.kind, 'finished', JSON.stringify(outcome, replacer))
  return outcome
}

function replacer(_: string, value: unknown): unknown {
  return value instanceof Error ? { ...value, message: value.message, stack: value.stack } : value
}
