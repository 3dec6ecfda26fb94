import assert from 'node:assert/strict'
import test from 'node:test'
import { parseScript } from './parse-script.ts'

/** The literal arguments of the call that `SELECT text` is. */
function argumentsOf(text: string): unknown[] {
  const { statements, errors } = parseScript(`SELECT ${text}`)
  assert.deepEqual(errors, [])
  const [statement] = statements
  assert.ok(statement?.kind === 'query' && statement.query.body.kind === 'select')
  const [item] = statement.query.body.items
  assert.ok(item?.kind === 'expression' && item.expression.kind === 'call')
  return item.expression.call.args.map((arg) =>
    arg.kind === 'literal' && 'value' in arg.literal ? arg.literal.value : arg.kind,
  )
}

test('JSON_OBJECT tells what a NULL becomes, then keys and values by turns', () => {
  assert.deepEqual(argumentsOf('JSON_OBJECT()'), ['NULL'])
  assert.deepEqual(argumentsOf("JSON_OBJECT(KEY 'a' VALUE 'b', 'c' VALUE d ABSENT ON NULL)"), [
    'ABSENT',
    'a',
    'b',
    'c',
    'reference',
  ])
})

test('JSON_ARRAY leaves NULLs out unless told', () => {
  assert.deepEqual(argumentsOf("JSON_ARRAY('a', 'b')"), ['ABSENT', 'a', 'b'])
  assert.deepEqual(argumentsOf("JSON_ARRAY('a' NULL ON NULL)"), ['NULL', 'a'])
  assert.deepEqual(argumentsOf('JSON_ARRAY(NULL ON NULL)'), ['NULL'])
})
