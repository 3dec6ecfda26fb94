/** A table of files that is looked up, by runs that go on from one another. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { open } from '../../src/index.ts'

const TABLES = `
CREATE TABLE orders (id INT, buyer INT, came AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = 'orders', 'format' = 'json');
CREATE TABLE buyers (id INT, name STRING, PRIMARY KEY (id) NOT ENFORCED)
  WITH ('connector' = 'filesystem', 'path' = 'buyers', 'format' = 'json');
CREATE TABLE named (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = 'named', 'format' = 'json');`
const SQL = `INSERT INTO named SELECT o.id, b.name FROM orders AS o
  LEFT JOIN buyers FOR SYSTEM_TIME AS OF o.came AS b ON o.buyer = b.id`

test('rows that are read until now meet the whole table, and so do those of the next run', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-lookup-'))
  context.after(() => rmSync(directory, { recursive: true }))
  const file = (name: string) => join(directory, name)
  const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  for (const name of ['orders', 'buyers', 'named']) mkdirSync(file(name))
  writeFileSync(
    file('buyers/1.json'),
    lines(Array.from({ length: 20_000 }, (_, id) => ({ id, name: `buyer ${id}` }))),
  )
  writeFileSync(
    file('orders/1.json'),
    lines([
      { id: 1, buyer: 19_999 },
      { id: 2, buyer: 50_000 },
    ]),
  )
  const run = async (): Promise<string[]> => {
    await using db = await open({ data: file('data'), directory, tables: TABLES })
    const started = await db.run(SQL, { name: 'lookup', until: 'now' })
    const outcome = await started.finished
    assert.equal(outcome.kind, 'finished')
    return readdirSync(file('named'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /(^|\/)[^._][^/]*$/.test(name))
      .flatMap((name) => {
        const path = join(file('named'), name)
        return name.includes('.') ? readFileSync(path, 'utf8').trim().split('\n') : []
      })
      .sort()
  }
  assert.deepEqual(await run(), ['{"id":1,"name":"buyer 19999"}', '{"id":2,"name":null}'])
  appendFileSync(file('orders/2.json'), lines([{ id: 3, buyer: 7 }]))
  assert.deepEqual(await run(), [
    '{"id":1,"name":"buyer 19999"}',
    '{"id":2,"name":null}',
    '{"id":3,"name":"buyer 7"}',
  ])
})
