/** The project's own cases of schema compatibility, one by one, and the file that they are written to. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ownCases } from './compatibility/cases.ts'
import { readCases, verdictOf } from './schema-compatibility.ts'

test('every case of our own is answered as its specification says', () => {
  const cases = ownCases()
  assert.ok(cases.length >= 300, `${cases.length} cases`)
  const wrong = cases.filter((each) => (verdictOf(each).length === 0) !== each.compatible)
  assert.deepEqual(
    wrong.map(({ id }) => id),
    [],
  )
})

test('the file has the cases as they are', () => {
  const written = readCases('test/conformance/schema-compatibility.jsonl')
  assert.deepEqual(written, JSON.parse(JSON.stringify(ownCases())))
})

test('a refusal names the rule and the place in the schema', () => {
  const field = (type: unknown) =>
    JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'a', type }] })
  const found = verdictOf({
    id: 1,
    format: 'AVRO',
    level: 'FULL',
    old: field('int'),
    new: field('string'),
    compatible: false,
  })
  assert.deepEqual(found, [
    'backward: TYPE_MISMATCH at /fields/0/type: string does not read int',
    'forward: TYPE_MISMATCH at /fields/0/type: int does not read string',
  ])
})
