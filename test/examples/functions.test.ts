import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Millrace, open } from '../../src/index.ts'
import { inDirectory } from '../cli/process.ts'

const page = readFileSync('docs/functions.md', 'utf8')
const library = JSON.stringify(pathToFileURL('src/index.ts').href)
const MODULE = /```ts\n([\s\S]*?)```/.exec(page)![1]!.replace("'millrace'", library)
const TABLES = /```sql\n([\s\S]*?)```/.exec(page)![1]!
const PAYMENTS = [
  '{"country":"NO","cents":999,"labels":"new,card"}',
  '{"country":null,"cents":5,"labels":""}',
  '{"country":"SE","cents":99,"labels":"old"}',
]

async function withExample(run: (db: Millrace, directory: string) => Promise<void>): Promise<void> {
  await inDirectory(async (directory) => {
    writeFileSync(join(directory, 'risk.ts'), MODULE)
    writeFileSync(join(directory, 'payments.jsonl'), PAYMENTS.join('\n'))
    await using db = await open({ directory, data: join(directory, 'data'), tables: TABLES })
    await run(db, directory)
  })
}

test('the functions of docs/functions.md give what they say, and a row that throws is set aside', async () => {
  await withExample(async (db) => {
    const judged = await db.query('SELECT * FROM judged').rows()
    assert.deepEqual(
      judged.map(({ country, risk }) => [country, risk]),
      [
        ['NO', 0.3],
        ['SE', 0.8],
      ],
    )
    const labelled = await db.query('SELECT * FROM labelled').rows()
    assert.deepEqual(
      labelled.map(({ country, tag }) => `${country} ${tag}`),
      ['NO new', 'NO card', 'SE old'],
    )
  })
})

test('a pipeline calls functions in worker threads too, and dead rows say what was thrown', async () => {
  await withExample(async (db) => {
    const sink = "WITH ('connector' = 'delta', 'table-path' = 'lake')"
    const script = `CREATE TABLE risks (country STRING, risk DOUBLE) ${sink};
      INSERT INTO risks SELECT country, risk FROM judged`
    const run = await db.run(script, { name: 'risks', until: 'end', workers: 2 })
    assert.equal((await run.finished).kind, 'finished')
    const { read, dead } = run.status().conservation
    assert.deepEqual({ read, dead }, { read: 3, dead: 1 })
    await run.stop()
    db.define(`CREATE TABLE risks (country STRING, risk DOUBLE) ${sink}`)
    assert.equal((await db.query('SELECT * FROM risks').rows()).length, 2)
    const told = await db.query('SELECT reason FROM risks$dead').rows()
    assert.match(String(told[0]?.reason), /risk.*threw Error: a payment without a country/)
  })
})

test('wrong arguments, modules and exports are refused before anything runs', async () => {
  await withExample(async (db, directory) => {
    for (const [sql, message] of [
      ['SELECT risk(country) FROM payments', /takes 2 arguments, not 1/],
      ['SELECT risk(country, country) FROM payments', /argument 2 of risk\(STRING, BIGINT\)/],
      ['SELECT rsik(country, cents) FROM payments', /no function RSIK/i],
    ] as const)
      assert.throws(() => db.query(sql), { message })
    const unreadable = { code: 'FUNCTION_UNREADABLE' }
    const declare = (source: string) => `CREATE FUNCTION f AS '${source}' LANGUAGE TYPESCRIPT`
    await assert.rejects(open({ directory, tables: declare('./none.ts#f') }), unreadable)
    await assert.rejects(open({ directory, tables: declare('./risk.ts#f') }), {
      ...unreadable,
      hint: /it exports risk, tags/,
    })
    await assert.rejects(open({ tables: "CREATE FUNCTION f AS 'org.Risk' LANGUAGE JAVA" }), {
      code: 'SQL_SYNTAX',
    })
  })
})
