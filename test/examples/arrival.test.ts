import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { arrivalLines } from '../../src/cli/arrival.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { bindText } from '../../src/sql/bind-text.ts'

const [, sql, said] =
  /## The order in which rows come[\s\S]*?```sql\n([\s\S]*?)```\n```\n(.*)\n```/.exec(
    readFileSync('docs/sql.md', 'utf8'),
  )!

test('the bids of docs/sql.md depend on the order of arrival as the page says', () => {
  assert.deepEqual(linesOf(sql!), [said])
})

test('rows that a sink has under one key, and the query under several, depend on it', () => {
  const keyed = sql!.replace('PRIMARY KEY (item, number)', 'PRIMARY KEY (item)')
  assert.ok(
    linesOf(keyed).some((line) => /rows that best has under one key, the last to come/.test(line)),
  )
})

test('windows do not', () => {
  const windows = sql!
    .replace(
      /SELECT item, price, placed, n[\s\S]*;/,
      `SELECT item, MAX(price), window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(placed), INTERVAL '1' MINUTE))
     GROUP BY item, window_start, window_end;`,
    )
    .replace('(item, number)', '(item, placed)')
  assert.deepEqual(linesOf(windows), [
    'changes nothing: the tables are the same in every order in which no row is late',
  ])
})

function linesOf(text: string): readonly string[] {
  const { pipeline, errors } = bindText(text, 'arrival', CONNECTORS)
  assert.deepEqual(errors, [])
  return arrivalLines(pipeline!)
}
