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

test('rows that OVER, first rows, sessions and patterns keep with other columns are told apart', () => {
  const session = (column: string) =>
    `SESSION((SELECT k, ${column}, at_time FROM t) PARTITION BY k, DESCRIPTOR(at_time), INTERVAL '1' MINUTE)`
  const queries: readonly ((column: string) => string)[] = [
    (column) => `SELECT k, ${column} + COUNT(*) OVER (PARTITION BY k ORDER BY at_time)
      FROM (SELECT k, ${column}, at_time FROM t)`,
    (column) => `SELECT k, CAST(${column} AS BIGINT) FROM (
      SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY at_time) AS n
      FROM (SELECT k, ${column}, at_time FROM t)) WHERE n = 1`,
    (column) => `SELECT k, CAST(${column} AS BIGINT) FROM TABLE(${session(column)})`,
    (
      column,
    ) => `SELECT k, c FROM (SELECT k, ${column}, at_time FROM t) MATCH_RECOGNIZE (PARTITION BY k
      ORDER BY at_time MEASURES COUNT(*) AS c PATTERN (A B) DEFINE A AS TRUE, B AS TRUE)`,
  ]
  for (const query of queries) {
    const before = pipelineOf(query('v'))
    const other = upgradeOf(before, pipelineOf(query('w')))
    assert.deepEqual([other.kept, other.added, other.removed], [[], [], []], query('w'))
    assert.match(other.changed[0]!.because.join(), /column v integer gone from the rows it keeps/)
    assert.deepEqual(upgradeOf(before, pipelineOf(query('v'), 'BIGINT')).changed, [])
  }
})

test('a sink that keeps rows of its key is told, and holds them to their columns', () => {
  const pipeline = (columns: string) => {
    const { pipeline, errors } = bindText(
      `CREATE TABLE t (k INT, v INT, w INT) WITH ('connector' = 'none');
       CREATE TABLE o (n INT, ${columns}, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'none');
       INSERT INTO o SELECT n, ${columns.split(' ')[0]} FROM (
         SELECT k, MAX(v) AS v, MAX(w) AS w, MIN(v) AS n FROM t GROUP BY k)`,
      'p',
      [],
    )
    assert.deepEqual(errors, [])
    return pipeline!
  }
  const sinks = pipeline('v INT').sinks.filter(({ materializes }) => materializes)
  assert.equal(sinks.length, 1)
  const { changed } = upgradeOf(pipeline('v INT'), pipeline('w INT'))
  assert.ok(changed.some(({ after }) => after.kind === 'sink'))
  assert.deepEqual(upgradeOf(pipeline('v INT'), pipeline('v INT')).changed, [])
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
