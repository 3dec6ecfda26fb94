import assert from 'node:assert/strict'
import test from 'node:test'
import { CONNECTORS } from '../run/connectors.ts'
import { bindText } from '../sql/bind-text.ts'
import { clockDependences } from './clock-dependence.ts'

const TABLES = `
CREATE TABLE a (k STRING, n BIGINT, x DOUBLE, t TIMESTAMP(3), p AS PROCTIME(), WATERMARK FOR t AS t) WITH ('connector' = 'datagen');
`
const WINDOW = (time: string) => `TABLE(TUMBLE(TABLE a, DESCRIPTOR(${time}), INTERVAL '1' MINUTE))`

function of(query: string, sink: string): readonly string[] {
  const script = `${TABLES} CREATE TABLE s (${sink}) WITH ('connector' = 'blackhole'); INSERT INTO s ${query}`
  const { pipeline, errors } = bindText(script, 'p', CONNECTORS)
  assert.deepEqual(errors, [], query)
  return clockDependences(pipeline!)
}

test('sums, windows and what is sorted by arrival ask no clock', () => {
  for (const query of [
    'SELECT k, SUM(n) FROM a GROUP BY k',
    `SELECT k, COUNT(*) FROM ${WINDOW('t')} GROUP BY k, window_start, window_end`,
    'SELECT k, n FROM (SELECT k, n, ROW_NUMBER() OVER (PARTITION BY k ORDER BY p) AS r FROM a) WHERE r = 1',
  ])
    assert.deepEqual(of(query, 'k STRING, n BIGINT'), [], query)
})

test('what asks the clock says so, where it reaches the table', () => {
  const asked = (query: string, sink: string) => of(query, sink).join()
  assert.match(
    asked('SELECT k, p FROM a', 'k STRING, p TIMESTAMP_LTZ(3)'),
    /PROCTIME\(\) is another/,
  )
  assert.match(asked('SELECT k, n FROM a WHERE RAND() < 0.5', 'k STRING, n BIGINT'), /RAND\(\) is/)
  assert.match(
    asked('SELECT k, UNIX_TIMESTAMP() FROM a', 'k STRING, n BIGINT'),
    /UNIX_TIMESTAMP\(\)/,
  )
  assert.match(
    asked(
      `SELECT k, COUNT(*) FROM ${WINDOW('p')} GROUP BY k, window_start, window_end`,
      'k STRING, n BIGINT',
    ),
    /windows of PROCTIME\(\) follow the clock/,
  )
  const unread = 'SELECT k, n FROM (SELECT k, n, p, RAND() AS chance FROM a)'
  assert.equal(asked(unread, 'k STRING, n BIGINT'), '')
})
