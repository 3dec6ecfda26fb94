/** The law of conservation: rows read = rows used + dead, also where rows can't be computed further on. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { open } from '../../src/index.ts'

const GIVEN = ['1', 'x', '2', 'y', '3', '0'].map((s) => JSON.stringify({ s })).join('\n')
const TABLES = `CREATE TABLE given (s STRING) WITH ('connector' = 'values', 'data' = '${GIVEN}');
  CREATE TABLE numbers (n INT) WITH ('connector' = 'blackhole');
  CREATE TABLE lengths (n INT) WITH ('connector' = 'blackhole');`
const NUMBER = 'CAST(s AS INT)'

const CASES: Readonly<Record<string, readonly [sql: string, counts: object]>> = {
  'in a projection': [
    `INSERT INTO numbers SELECT ${NUMBER} FROM given`,
    { read: 6, used: 4, dead: 2, madeDead: 0 },
  ],
  'in a filter': [
    `INSERT INTO numbers SELECT 1 FROM given WHERE ${NUMBER} > 1`,
    { read: 6, used: 4, dead: 2, madeDead: 0 },
  ],
  'behind a filter': [
    `INSERT INTO numbers SELECT 6 / n FROM (SELECT ${NUMBER} AS n FROM given WHERE s <> 'x')`,
    { read: 6, used: 4, dead: 2, madeDead: 0 },
  ],
  'in one of two branches, where the row is used in the other': [
    `BEGIN STATEMENT SET; INSERT INTO numbers SELECT ${NUMBER} FROM given;
     INSERT INTO lengths SELECT CHAR_LENGTH(s) FROM given; END;`,
    { read: 6, used: 6, dead: 0, madeDead: 2 },
  ],
}

for (const [place, [sql, wanted]] of Object.entries(CASES))
  for (const workers of [1, 2])
    test(`rows read are used or dead, with ${workers} workers, when one can't be computed ${place}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'millrace-law-'))
      try {
        await using db = await open({ data: join(directory, 'data'), directory, tables: TABLES })
        await using run = await db.run(sql, { name: 'law', until: 'end', workers })
        assert.equal((await run.finished).kind, 'finished')
        const { late: _, ...counts } = run.status().conservation
        assert.deepEqual(counts, wanted)
      } finally {
        rmSync(directory, { recursive: true })
      }
    })
