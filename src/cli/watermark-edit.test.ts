import assert from 'node:assert/strict'
import test from 'node:test'
import { MillraceError } from '../errors.ts'
import { parseScript } from '../sql/parse/parse-script.ts'
import { withWatermark } from './watermark-edit.ts'

const LINE = "WATERMARK FOR placed_at AS placed_at - INTERVAL '7' SECOND"
const table = (name: string, inside: string): string =>
  `-- ${name}\nCREATE TABLE ${name} (\n  id BIGINT, -- the id (a number)\n  placed_at TIMESTAMP(3)${inside}\n) WITH ('connector' = 'log', 'topic' = 't');\n`

test('a watermark takes the place of the one that is there, and all else stays', () => {
  const before = ",\n  WATERMARK FOR placed_at AS placed_at - INTERVAL '1' DAY -- guessed"
  const text = table('other', '') + table('orders', before)
  const changed = withWatermark('t.sql', text, 'orders', LINE)
  assert.equal(changed, table('other', '') + table('orders', `,\n  ${LINE} -- guessed`))
})

test('a table without one gets it behind its last column, comments where they were', () => {
  const text = table('orders', ' -- when') + table('other', '')
  const changed = withWatermark('t.sql', text, 'orders', LINE)
  assert.equal(changed, table('orders', `,\n  ${LINE} -- when`) + table('other', ''))
  assert.deepEqual(parseScript(changed).errors, [])
})

test('a file that does not create the table is refused', () => {
  assert.throws(
    () => withWatermark('t.sql', table('orders', ''), 'order', LINE),
    (error) => error instanceof MillraceError && error.code === 'USAGE_INVALID',
  )
})
