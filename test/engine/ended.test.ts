/** What stays of a pipeline of which all inputs have ended. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { simulatedPorts } from '../../src/testing/ports.ts'

const SQL = `
  CREATE TABLE words (word STRING) WITH ('connector' = 'values', 'data' = '{"word":"a"} {"word":"b"} {"word":"a"}');
  CREATE TABLE counts (word STRING, n BIGINT, PRIMARY KEY (word) NOT ENFORCED) WITH ('connector' = 'blackhole');
  INSERT INTO counts SELECT word, COUNT(*) FROM words GROUP BY word;`

for (const workers of [1, 2]) {
  test(`the last checkpoint of a pipeline that has ended holds no state: it never goes on, by ${workers} workers`, async () => {
    const { pipeline, errors } = bindText(SQL, 'ended', CONNECTORS)
    assert.deepEqual(errors, [])
    const ports = simulatedPorts(1)
    const start = () =>
      startPipeline({
        pipeline: pipeline!,
        connectors: CONNECTORS,
        ports,
        dataDirectory: '/data',
        baseDirectory: '/',
        workers,
        until: 'end',
      })
    assert.deepEqual(await (await start()).finished, { kind: 'finished', because: 'end' })
    const folder = '/data/pipelines/ended'
    assert.deepEqual(ports.files.list(`${folder}/state`), [])
    assert.equal(ports.files.list(`${folder}/manifests`).length, 1)
    await assert.rejects(start(), { code: 'PIPELINE_ENDED' })
  })
}
