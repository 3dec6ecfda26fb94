import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { inDirectory, millrace } from './process.ts'

test('every command in the README of a new project works, and its table equals a recount', async () => {
  await inDirectory(async (directory) => {
    await millrace(directory, ['init', 'shop'])
    const project = join(directory, 'shop')
    assert.match(
      (await millrace(project, ['check'])).out,
      /^valid {2}2 tables, 0 views, 1 pipeline\n/,
    )
    assert.match(
      (await millrace(project, ['explain', 'pipelines/revenue.sql'])).out,
      /exactly-once end to end/,
    )
    const run = await millrace(project, ['run'])
    assert.equal(run.code, 0, run.err)
    assert.match(
      run.out,
      /120 rows read = 120 used \+ 0 dead · 120 rows in windows = 119 counted \+ 1 late/,
    )
    const query = ['query', 'SELECT * FROM revenue ORDER BY window_start, shop', '--json']
    const rows = (await millrace(project, query)).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(rows, recount(readFileSync(join(project, 'data/orders.jsonl'), 'utf8')))
    assert.match(
      (await millrace(project, ['late', 'list', 'revenue'])).out,
      /^2 min 32 s late for /,
    )
    assert.equal((await millrace(project, ['gen'])).code, 0)
    assert.equal((await millrace(project, ['gen', '--check'])).code, 0)
  })
})

test('check shows every error of the project at once, each once, with its file and line, and exits with 1', async () => {
  await inDirectory(async (directory) => {
    await millrace(directory, ['init', '.'])
    writeFileSync(
      join(directory, 'pipelines/one.sql'),
      'INSERT INTO revenue\nSELECT nothing FROM orders',
    )
    writeFileSync(join(directory, 'pipelines/two.sql'), 'SELEC 1;')
    const { code, out, err } = await millrace(directory, ['check'])
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.match(
      err,
      /--> pipelines\/one\.sql: line 2, column 8\n2 \| SELECT nothing FROM orders\n {2}\| {8}\^{7}\n/,
    )
    assert.match(err, /--> pipelines\/two\.sql: line 1, column 1\n/)
    const { findings } = JSON.parse((await millrace(directory, ['check', '--json'])).out)
    assert.deepEqual(
      new Set(findings.map(({ file }: { file: string }) => file)),
      new Set(['pipelines/one.sql', 'pipelines/two.sql']),
    )
  })
})

/** The oracle: the rows that are not late, by shop and minute, in cents. */
function recount(text: string): unknown[] {
  const groups = new Map<string, { shop: string; start: number; orders: number; cents: number }>()
  let watermark = Number.NEGATIVE_INFINITY
  for (const line of text.trim().split('\n')) {
    const { shop, amount, placed_at } = JSON.parse(line)
    const at = Date.parse(placed_at.replace(' ', 'T'))
    const start = Math.floor(at / 60_000) * 60_000
    if (watermark < start + 60_000 - 1) {
      const key = `${start} ${shop}`
      const group = groups.get(key) ?? { shop, start, orders: 0, cents: 0 }
      groups.set(key, {
        ...group,
        orders: group.orders + 1,
        cents: group.cents + Math.round(amount * 100),
      })
    }
    watermark = Math.max(watermark, at - 30_000)
  }
  return [...groups.values()]
    .sort((a, b) => a.start - b.start || (a.shop < b.shop ? -1 : 1))
    .map(({ shop, start, orders, cents }) => ({
      shop,
      window_start: new Date(start).toISOString().replace('T', ' ').replace('Z', ''),
      orders,
      revenue: (cents / 100).toFixed(2),
    }))
}
