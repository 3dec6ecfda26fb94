import assert from 'node:assert/strict'
import test from 'node:test'
import { MillraceError } from '../errors.ts'
import { SqlError } from '../sql/sql-error.ts'
import { findingOf, joinScripts } from './script-text.ts'

const a = { name: 'tables/a.sql', text: 'CREATE TABLE a (x INT) -- no end\n' }
const b = {
  name: 'tables/b.sql',
  text: "-- a semicolon in a comment;\nCREATE TABLE b (y INT) WITH ('c' = ';')\n  ;",
}
const c = { name: 'pipelines/c.sql', text: 'INSERT INTO a\nSELECT z FROM b;\n' }

test('files are joined with the semicolons they lack, and lines lead back to them', () => {
  const joined = joinScripts([a, b, c])
  assert.equal(joined.text, `${a.text}\n;\n${b.text}\n${c.text}\n`)
  const lines = joined.text.split('\n')
  for (const file of [a, b, c]) {
    file.text
      .trimEnd()
      .split('\n')
      .forEach((text, index) => {
        const at = lines.indexOf(text) + 1
        assert.deepEqual(joined.locate(at), { file, line: index + 1 }, text)
      })
  }
})

test('an error is told of its own file and line, underlined', () => {
  const joined = joinScripts([a, b, c])
  const line = joined.text.split('\n').indexOf('SELECT z FROM b;') + 1
  const place = { offset: 0, line, column: 8, length: 1 }
  const error = new SqlError('SQL_COLUMN_UNKNOWN', place, {
    message: 'there is no column `z`',
    hint: 'did you mean `y`?',
  })
  const finding = findingOf(error, joined, c)
  assert.equal(finding.file, 'pipelines/c.sql')
  assert.equal(finding.line, 2)
  assert.equal(
    finding.text,
    [
      'SQL_COLUMN_UNKNOWN: there is no column `z`',
      ' --> pipelines/c.sql: line 2, column 8',
      '2 | SELECT z FROM b;',
      '  |        ^',
      '  = did you mean `y`?',
    ].join('\n'),
  )
})

test('an error without a place is told of the file at hand', () => {
  const error = new MillraceError('OPTION_INVALID', { message: 'm', hint: 'h' })
  assert.equal(
    findingOf(error, joinScripts([a]), a).text,
    'OPTION_INVALID: m\n --> tables/a.sql\n  = h',
  )
})
