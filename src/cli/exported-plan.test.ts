import assert from 'node:assert/strict'
import test from 'node:test'
import { CONNECTORS } from '../run/connectors.ts'
import { bindText } from '../sql/bind-text.ts'
import { isPipeline, planProblem } from './exported-plan.ts'

const SQL = `
  CREATE TABLE given (n BIGINT) WITH ('connector' = 'values', 'data' = '{"n": 1}');
  CREATE TABLE dropped (n BIGINT) WITH ('connector' = 'blackhole');
  INSERT INTO dropped SELECT n FROM given;`

test('a plan that runs is taken, and one without sinks, with other columns, or of nothing is told why not', () => {
  const { pipeline, errors } = bindText(SQL, 'p', CONNECTORS)
  assert.deepEqual(errors, [])
  const plan: unknown = pipeline
  assert.ok(isPipeline(plan))
  assert.equal(planProblem(plan, CONNECTORS), undefined)
  assert.match(planProblem({ ...plan, sinks: [] }, CONNECTORS)!, /p writes nothing/)
  assert.match(planProblem({ ...plan, name: ' ' }, CONNECTORS)!, /name is empty/)
  const [sink] = plan.sinks
  const [column] = sink!.table.columns
  const wider = { ...sink!, table: { ...sink!.table, columns: [column!, column!] } }
  assert.match(planProblem({ ...plan, sinks: [wider] }, CONNECTORS)!, /2 columns.*gives 1/)
  const strange: unknown = { name: 'p', sinks: [{}] }
  assert.ok(isPipeline(strange))
  assert.match(planProblem(strange, CONNECTORS)!, /sink 1 of p is no plan/)
  assert.ok(!isPipeline({ name: 'p' }))
})
