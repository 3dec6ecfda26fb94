/** What MATCH_RECOGNIZE refuses: by name, with what to write instead. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CONNECTORS } from '../../run/connectors.ts'
import { bindText } from '../bind-text.ts'

interface Clauses {
  readonly measures?: string
  readonly rows?: string
  readonly pattern?: string
  readonly define?: string
}

const REFUSED: Readonly<Record<string, readonly [Clauses, RegExp]>> = {
  'FINAL in a condition': [{ define: 'B AS FINAL LAST(A.v) > 1' }, /FINAL is not known while rows/],
  'MATCH_NUMBER in a condition': [
    { define: 'B AS MATCH_NUMBER() = 1' },
    /MATCH_NUMBER\(\) is not known/,
  ],
  'CLASSIFIER of something': [{ measures: 'CLASSIFIER(A) AS c' }, /takes no arguments/],
  'CLASSIFIER of another row': [{ measures: 'PREV(CLASSIFIER()) AS c' }, /LAST\(CLASSIFIER\(\)\)/],
  'PREV by a column': [{ measures: 'PREV(v, v) AS c' }, /PREV takes a value and.*a number of rows/],
  'PREV of several variables': [{ measures: 'PREV(A.v + B.v) AS c' }, /mixes rows of several/],
  'COUNT of no variable': [{ measures: 'COUNT(X.*) AS c' }, /no variable `X`/],
  'FINAL of a plain function': [{ measures: 'FINAL ABS(v) AS c' }, /FINAL/],
  'EXCLUDE of nothing': [{ rows: 'ALL ROWS PER MATCH WITH EMPTY ROWS' }, /PATTERN/],
  'a pattern of no rows': [
    { rows: 'ALL ROWS PER MATCH SHOW EMPTY MATCHES', pattern: 'A*?', define: 'A AS v > 1' },
    /no rows at all/,
  ],
}

for (const [name, [clauses, message]] of Object.entries(REFUSED)) {
  test(`refused by name: ${name}`, () => {
    const { errors } = bindText(sqlOf(clauses), 'match', CONNECTORS)
    assert.match(errors.map((error) => `${error.message} ${error.hint}`).join('\n'), message)
  })
}

test('FINAL stays a name of columns', () => {
  const { errors } = bindText(
    `CREATE TABLE t (final INT) WITH ('connector' = 'datagen');
     SELECT final, ABS(final) FROM t WHERE final IN (1, 2) AND final BETWEEN (1) AND 2 AND NOT final IS NULL`,
    'names',
    CONNECTORS,
  )
  assert.deepEqual(errors, [])
})

function sqlOf({
  measures = 'A.v AS a',
  rows = '',
  pattern = 'A B',
  define = 'B AS v > 1',
}: Clauses) {
  return `CREATE TABLE events (k STRING, v INT, t TIMESTAMP(3), WATERMARK FOR t AS t)
      WITH ('connector' = 'datagen');
    SELECT * FROM events MATCH_RECOGNIZE (PARTITION BY k ORDER BY t MEASURES ${measures} ${rows}
      PATTERN (${pattern}) DEFINE ${define})`
}
