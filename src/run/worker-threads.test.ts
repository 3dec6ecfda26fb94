import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { openLog } from '../log/log.ts'
import { nodePorts } from '../ports/node/ports.ts'
import { bindText } from '../sql/bind-text.ts'
import { CONNECTORS } from './connectors.ts'
import type { PipelineStart } from './handle.ts'
import { runQuery } from './query.ts'
import { startPipeline } from './start.ts'

const PARTITIONS = 4
const ROWS = 3000
const TABLES = `
  CREATE TABLE spread (k STRING, v BIGINT, t TIMESTAMP(3), WATERMARK FOR t AS t)
    WITH ('connector' = 'log', 'topic' = 'spread', 'format' = 'json');
  CREATE TABLE counts (k STRING, c BIGINT, s BIGINT, w TIMESTAMP(3))
    WITH ('connector' = 'log', 'topic' = 'counts', 'format' = 'json');`
const PIPELINE = `SET 'time.future-guard' = 'off'; SET 'execution.checkpointing.interval' = '20 ms'; ${TABLES}
  INSERT INTO counts SELECT k, COUNT(*), SUM(v), window_start
  FROM TABLE(TUMBLE(TABLE spread, DESCRIPTOR(t), INTERVAL '10' SECOND))
  GROUP BY k, window_start, window_end;`
const ports = nodePorts()

test('threads give what one worker gives, over a restart into another number of them', async () => {
  const results: string[][] = []
  for (const lives of [[1], [2], [2, 1, 2]]) {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-threads-'))
    await fill(dataDirectory, 0)
    for (const [life, workers] of lives.entries()) {
      const isLast = life === lives.length - 1
      const run = await startPipeline(startOf(dataDirectory, workers, isLast ? 'end' : 'now'))
      const outcome = await run.finished
      if (outcome.kind === 'failed') throw outcome.error
      assert.equal(outcome.kind, 'finished')
      const { conservation } = run.status()
      assert.equal(conservation.read, conservation.used)
    }
    results.push(await rowsOf(dataDirectory))
    rmSync(dataDirectory, { recursive: true })
  }
  assert.equal(results[0]!.length, 21 * 61)
  assert.deepEqual(results[1], results[0])
  assert.deepEqual(results[2], results[0])
})

test('what fails in a thread is how the run fails', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-threads-'))
  const start = startOf(dataDirectory, 2, 'end')
  await assert.rejects(startPipeline(start), { code: 'LOG_TOPIC_MISSING' })
  rmSync(dataDirectory, { recursive: true })
})

async function fill(dataDirectory: string, from: number): Promise<void> {
  const log = openLog({ ports, dataDirectory })
  await log.createTopic('spread', { partitions: PARTITIONS })
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const records = Array.from({ length: ROWS }, (_, at) => {
      const row = { k: `key ${(at + partition) % 61}`, v: at, t: timeText(from + at * 70) }
      return { value: Buffer.from(JSON.stringify(row)) }
    })
    await log.append('spread', partition, records)
  }
  await log.close()
}

function timeText(ms: number): string {
  return new Date(Date.UTC(2026, 0, 1) + ms).toISOString().replace('T', ' ').replace('Z', '')
}

function startOf(dataDirectory: string, workers: number, until: 'now' | 'end'): PipelineStart {
  const { pipeline, errors } = bindText(PIPELINE, 'threads', CONNECTORS)
  assert.deepEqual(errors, [])
  return {
    pipeline: pipeline!,
    connectors: CONNECTORS,
    ports,
    dataDirectory,
    baseDirectory: dataDirectory,
    workers,
    threads: true,
    until,
  }
}

async function rowsOf(dataDirectory: string): Promise<string[]> {
  const { queries } = bindText(`${TABLES} SELECT k, c, s, w FROM counts;`, 'counts', CONNECTORS)
  const rows: string[] = []
  const start = { connectors: CONNECTORS, ports, dataDirectory, baseDirectory: dataDirectory }
  for await (const row of runQuery({ query: queries[0]!, ...start })) {
    rows.push(JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value)))
  }
  return rows.sort()
}
