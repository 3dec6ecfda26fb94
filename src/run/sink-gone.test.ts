import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { nodePorts } from '../ports/node/ports.ts'
import { bindText } from '../sql/bind-text.ts'
import { CONNECTORS } from './connectors.ts'
import { startPipeline } from './start.ts'

const TABLES = `
CREATE TABLE events (n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'events.jsonl', 'format' = 'json', 'source.monitor-interval' = '1 s');
CREATE TABLE first_copy (n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'one', 'format' = 'json');
CREATE TABLE second_copy (n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'two', 'format' = 'json');
`

test('a table that the checkpoint still has rows for is not forgotten when the query drops it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-sink-gone-'))
  writeFileSync(join(directory, 'events.jsonl'), '{"n":1}\n{"n":2}\n')
  const start = async (inserts: string) => {
    const { pipeline, errors } = bindText(TABLES + inserts, 'p', CONNECTORS)
    assert.deepEqual(errors, [])
    const run = await startPipeline({
      pipeline: pipeline!,
      connectors: CONNECTORS,
      ports: nodePorts(),
      dataDirectory: join(directory, 'data'),
      baseDirectory: directory,
      until: 'now',
    })
    return run.finished
  }
  const both =
    'INSERT INTO first_copy SELECT n FROM events; INSERT INTO second_copy SELECT n FROM events;'
  assert.deepEqual(await start(both), { kind: 'finished', because: 'now' })
  await assert.rejects(start('INSERT INTO first_copy SELECT n FROM events;'), {
    code: 'CHECKPOINT_MISMATCH',
  })
  assert.deepEqual(await start(both), { kind: 'finished', because: 'now' })
  rmSync(directory, { recursive: true })
})
