import assert from 'node:assert/strict'
import test from 'node:test'
import { bindText } from '../sql/bind-text.ts'
import { upgradeOf } from './upgrade.ts'

function pipelineOf(select: string, type = 'INT') {
  const text = `CREATE TABLE t (k STRING, v ${type}, w INT, at_time TIMESTAMP(3), WATERMARK FOR at_time AS at_time) WITH ('connector' = 'none');
    CREATE TABLE out1 (k STRING, n BIGINT) WITH ('connector' = 'none');
    INSERT INTO out1 ${select}`
  const { pipeline, errors } = bindText(text, 'p', [])
  assert.deepEqual(errors, [])
  return pipeline!
}
const kinds = (nodes: readonly { readonly kind: string }[]) => nodes.map(({ kind }) => kind)

const COUNT = pipelineOf('SELECT k, COUNT(*) FROM t GROUP BY k')

test('what stays the same, and a filter that changes, keeps its state', () => {
  const { kept, changed, added, removed } = upgradeOf(
    COUNT,
    pipelineOf('SELECT k, COUNT(*) FROM t WHERE v > 3 GROUP BY k'),
  )
  assert.deepEqual([kinds(kept), changed, added, removed], [['group-aggregate'], [], [], []])
})

test('another aggregate, another key, a wider type: each is named', () => {
  const because = (select: string, type?: string) =>
    upgradeOf(COUNT, pipelineOf(select, type)).changed.flatMap((each) => each.because)
  assert.deepEqual(because('SELECT k, SUM(v) FROM t GROUP BY k')[0], 'aggregate SUM(v) added')
  assert.deepEqual(because('SELECT k, COUNT(*) FROM t GROUP BY k, w'), ['key w added'])
  const sum = pipelineOf('SELECT k, SUM(v) FROM t GROUP BY k')
  assert.deepEqual(
    upgradeOf(sum, pipelineOf('SELECT k, SUM(v) FROM t GROUP BY k', 'BIGINT')).changed[0]?.because,
    ['column v was INT and is BIGINT'],
  )
})

test('an operator that was not there begins empty, one that is gone leaves its state', () => {
  const distinct = pipelineOf(
    'SELECT k, COUNT(*) FROM (SELECT DISTINCT k, at_time FROM t) GROUP BY k',
  )
  const passed = pipelineOf('SELECT k, CAST(v AS BIGINT) FROM t')
  assert.deepEqual(kinds(upgradeOf(passed, distinct).added), ['group-aggregate', 'group-aggregate'])
  assert.deepEqual(kinds(upgradeOf(distinct, passed).removed), [
    'group-aggregate',
    'group-aggregate',
  ])
})
