import assert from 'node:assert/strict'
import test from 'node:test'
import { types } from '../data/types.ts'
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

test('rows that a join keeps with other columns are told apart, also where they lie in the same cells', () => {
  const join = (column: string, type?: string) =>
    pipelineOf(`SELECT a.k, CAST(a.${column} AS BIGINT) FROM t a JOIN t b ON a.k = b.k`, type)
  const other = upgradeOf(join('v'), join('w')).changed
  assert.deepEqual(other[0]?.because, [
    'column w integer added to the rows it keeps',
    'column v integer gone from the rows it keeps',
  ])
  const wider = upgradeOf(join('v'), join('v', 'BIGINT'))
  assert.deepEqual([kinds(wider.kept), wider.changed], [['join'], []])
})

test('a function of another version is named, and where its calls aggregate, its state is not gone on with', () => {
  const of = (version: string, select: string) => {
    const [args, returns] = [[types.int], types.int]
    const place = { module: './f.ts', export: 'risk', version }
    const functions = new Map([
      ['./f.ts#risk', { ...place, kind: 'scalar', args, returns } as const],
    ])
    const text = `CREATE FUNCTION risk AS './f.ts#risk' LANGUAGE TYPESCRIPT;
      CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'none');
      CREATE TABLE o (k STRING, n INT) WITH ('connector' = 'none');
      INSERT INTO o ${select}`
    const { pipeline, errors } = bindText(text, 'p', [], functions)
    assert.deepEqual(errors, [])
    return pipeline!
  }
  const functions = [{ name: 'risk', before: '1', after: '2' }]
  const summed = 'SELECT k, SUM(risk(v)) FROM t GROUP BY k'
  const changed = upgradeOf(of('1', summed), of('2', summed))
  assert.deepEqual([kinds(changed.kept), changed.functions], [[], functions])
  const beneath = 'SELECT k, SUM(x) FROM (SELECT k, risk(v) AS x FROM t) GROUP BY k'
  const kept = upgradeOf(of('1', beneath), of('2', beneath))
  assert.deepEqual([kinds(kept.kept), kept.functions], [['group-aggregate'], functions])
})
